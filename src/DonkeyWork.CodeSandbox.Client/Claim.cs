using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>One claim of a warm sandbox. Its id makes it safe to ask again where an answer was lost.</summary>
internal sealed class Claim(CodeSandboxClient client, AllocateRequest request)
{
    // The longest that a Manager may be told to wait for a sandbox to become ready (PodReadyTimeoutSeconds).
    private static readonly TimeSpan LongestCreate = TimeSpan.FromSeconds(300);

    // A Manager that stops, or has lost its cluster, need not be the one that is asked next. The sum covers one that starts anew.
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4)];

    private TimeProvider Clock => client.Options.TimeProvider;

    /// <summary>How long the answer may take, all attempts together.</summary>
    private TimeSpan Limit => (client.Options.RequestTimeout == Timeout.InfiniteTimeSpan ? TimeSpan.FromDays(1) : client.Options.RequestTimeout)
        + TimeSpan.FromSeconds(Math.Max(0, request.WaitSeconds ?? 0))
        + (request.CreateIfExhausted ? LongestCreate : TimeSpan.Zero);

    /// <summary>Asks, again where the answer was lost or another Manager may have one; the sandbox's name.</summary>
    public async Task<string> AskAsync(CancellationToken cancellationToken)
    {
        var begun = Clock.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                var left = Math.Max(0, (Limit - Clock.GetElapsedTime(begun)).Ticks);
                return await AskOnceAsync(request, TimeSpan.FromTicks(left), cancellationToken).ConfigureAwait(false);
            }
            catch (CodeSandboxException e) when (IsWorthAnother(e) && attempt < Pauses.Length && Clock.GetElapsedTime(begun) + Pauses[attempt] < Limit)
            {
                await Task.Delay(Pauses[attempt], Clock, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Deletes the sandbox of a claim whose answer nobody waits for. What it is called is learnt by asking once more: at
    /// worst that claims a sandbox which was free, and lets go of it.
    /// </summary>
    public async Task UndoAsync()
    {
        try
        {
            var again = request with { WaitSeconds = 0, CreateIfExhausted = false };
            var name = await AskOnceAsync(again, client.Options.CleanupTimeout, CancellationToken.None).ConfigureAwait(false);
            await client.TryDeleteAsync(name).ConfigureAwait(false);
        }
        catch (Exception e) when (e is CodeSandboxException or OperationCanceledException or ObjectDisposedException)
        {
            // There is none, or it cannot be learnt; the Manager deletes what nobody uses.
        }
    }

    private async Task<string> AskOnceAsync(AllocateRequest request, TimeSpan limit, CancellationToken cancellationToken)
    {
        var info = await client.Server.AskAsync<AllocateRequest, SandboxInfo>(Routes.Allocate, request, limit, cancellationToken).ConfigureAwait(false);
        return SandboxName.IsValid(info.Name)
            ? info.Name
            : throw new CodeSandboxException(ClientErrorCodes.UnexpectedResponse, $"{client.Server.Name} answered with a sandbox without a usable name.");
    }

    private static bool IsWorthAnother(CodeSandboxException e) =>
        e.Code is ErrorCodes.Stopping or ErrorCodes.Interrupted or ErrorCodes.BackendUnavailable or ClientErrorCodes.Unreachable or ClientErrorCodes.ResponseCut;
}
