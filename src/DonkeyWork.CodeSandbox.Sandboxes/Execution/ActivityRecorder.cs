using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>Records that a sandbox is used, at most every 30 s: that is how far the recorded time may be behind.</summary>
public sealed partial class ActivityRecorder(
    SandboxRegistry registry, ISandboxBackend backend, TimeProvider clock, ILogger<ActivityRecorder> logger)
{
    private static readonly TimeSpan Staleness = TimeSpan.FromSeconds(30);

    // A command waits for the record; a backend that is slow, or away, must not hold it up for long.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly ActivityWriter _writer = new(registry, backend);

    /// <summary>
    /// Writes the last activity where the recorded one is stale, so that of a use and a delete that was judged before it one
    /// wins, and the other is told. Returns the sandbox as it is then.
    /// </summary>
    /// <exception cref="SandboxException">It is gone, or is being deleted.</exception>
    public async Task<Sandbox> TouchAsync(Sandbox sandbox, CancellationToken cancellationToken)
    {
        // The sandbox itself may be in best health: serving it matters more than the record.
        if (!registry.IsCurrent) return sandbox;
        using var patience = new CancellationTokenSource(Patience, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await _writer.AdvanceAsync(sandbox, StaleUse, both.Token);
        }
        catch (Exception e) when (e is BackendUnavailableException or SandboxConflictException)
        {
            LogNotRecorded(sandbox.Name, e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotRecorded(sandbox.Name, $"no answer within {Patience.TotalSeconds} s");
        }

        return sandbox;
    }

    // What is asked of a sandbox that is nobody's is refused by its executor, and no use.
    private DateTimeOffset? StaleUse(Sandbox sandbox) =>
        sandbox.PoolStatus != PoolStatus.Warm && clock.GetUtcNow() is var now && now - sandbox.LastUsed > Staleness ? now : null;

    [LoggerMessage(Level = LogLevel.Warning, Message = "The use of sandbox {Name} could not be recorded: {Reason}")]
    private partial void LogNotRecorded(string name, string reason);
}
