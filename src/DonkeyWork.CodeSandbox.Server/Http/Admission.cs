using System.Security.Cryptography;
using System.Text;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Http;

/// <summary>
/// Who may call: whoever knows the token, where there is one; and, of a sandbox of the pool, nobody but the claim until
/// it has come.
/// </summary>
/// <param name="tokenHash">The SHA-256 of the token; <see langword="null"/>: none is asked for.</param>
/// <param name="startsClosed">Whether nobody has it yet.</param>
/// <param name="bornTo">The claim that it was started for, where there was one.</param>
internal sealed class Admission(byte[]? tokenHash, bool startsClosed, ClaimIdentity bornTo)
{
    private readonly Lock _gate = new();
    private volatile bool _claimed = !startsClosed;
    private ClaimIdentity _claim = bornTo;

    /// <summary>Whether commands are accepted.</summary>
    public bool IsClaimed => _claimed;

    /// <summary>Takes the claim; of any number at the same time one succeeds.</summary>
    /// <param name="claim">Whose it is.</param>
    /// <param name="prepare">What must be done before commands are accepted.</param>
    public bool TryClaim(ClaimIdentity claim, Action prepare)
    {
        lock (_gate)
        {
            if (_claimed)
                return false;
            prepare();
            _claim = claim;
            return _claimed = true;
        }
    }

    /// <summary>Whether it was this very claim that succeeded. One without an id is like no other.</summary>
    public bool IsClaimedBy(ClaimIdentity claim)
    {
        lock (_gate)
            return claim.Id is not null && claim == _claim;
    }

    /// <summary>Refuses who may not call.</summary>
    /// <exception cref="RequestException">With <c>unauthorized</c> or <c>not_claimed</c>.</exception>
    public void Check(HttpContext context)
    {
        if (context.Request.Path == Routes.Health)
            return;
        if (tokenHash is not null && !IsToken(context.Request.Headers[ExecutorProtocol.TokenHeader]))
        {
            throw new RequestException(
                StatusCodes.Status401Unauthorized, ErrorCodes.Unauthorized, $"{ExecutorProtocol.TokenHeader} is missing or wrong.");
        }

        if (!IsClaimed && context.Request.Path != Routes.Claim)
            throw new RequestException(StatusCodes.Status409Conflict, ErrorCodes.NotClaimed, "Nobody has claimed this sandbox yet.");
    }

    private bool IsToken(string? presented) =>
        presented is not null && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(presented)), tokenHash);
}

/// <summary>What tells one claim from another.</summary>
/// <param name="Owner">The user id.</param>
/// <param name="Id">The caller's own id of the claim.</param>
internal readonly record struct ClaimIdentity(string? Owner, string? Id);
