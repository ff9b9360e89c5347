using System.Security.Cryptography;
using System.Text;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Http;

/// <summary>
/// Who may call: whoever knows the token, where there is one; and, of a sandbox of the pool, nobody but the claim until
/// it has come.
/// </summary>
internal sealed class Admission(byte[]? tokenHash, bool startsClosed)
{
    private readonly Lock _gate = new();
    private volatile bool _claimed = !startsClosed;

    /// <summary>Whether commands are accepted.</summary>
    public bool IsClaimed => _claimed;

    /// <summary>Takes the claim; of any number at the same time one succeeds.</summary>
    /// <param name="prepare">What must be done before commands are accepted.</param>
    public bool TryClaim(Action prepare)
    {
        lock (_gate)
        {
            if (_claimed)
                return false;
            prepare();
            return _claimed = true;
        }
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
