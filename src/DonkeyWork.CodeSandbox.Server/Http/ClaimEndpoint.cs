using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions;

namespace DonkeyWork.CodeSandbox.Server.Http;

/// <summary><c>POST /api/claim</c>: opens a sandbox of the pool, once.</summary>
internal sealed class ClaimEndpoint(Admission admission, SandboxEnvironment environment, Action onClaimed)
{
    /// <summary>Answers the request.</summary>
    /// <exception cref="RequestException">With <c>already_claimed</c>, or what is wrong with the body.</exception>
    public async Task HandleAsync(HttpContext context)
    {
        var request = await Json.ReadAsync(context, ContractsJsonContext.Default.ClaimRequest);
        if (SandboxEnvironment.Validate(request.Environment) is { Length: > 0 } faults)
            throw Json.InvalidFields(new() { ["environment"] = faults });
        var claim = new ClaimIdentity(request.Owner, request.ClaimId);
        if (!admission.TryClaim(claim, () => environment.Add(request.Environment)))
        {
            if (admission.IsClaimedBy(claim))
                context.Response.Headers[ExecutorProtocol.SameClaimHeader] = "true";
            throw new RequestException(StatusCodes.Status409Conflict, ErrorCodes.AlreadyClaimed, "This sandbox belongs to somebody.");
        }

        onClaimed();
        await Json.WriteAsync(context, new ClaimResponse(), ContractsJsonContext.Default.ClaimResponse);
    }
}
