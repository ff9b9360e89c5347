using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>Records that a sandbox is used, at most every 30 s: that is how far the recorded time may be behind.</summary>
public sealed partial class ActivityRecorder(
    SandboxRegistry registry, ISandboxBackend backend, TimeProvider clock, ILogger<ActivityRecorder> logger)
{
    private static readonly TimeSpan Staleness = TimeSpan.FromSeconds(30);
    private const int Attempts = 3;

    // A command waits for the record; a backend that is slow, or away, must not hold it up for long.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Writes the last activity where the recorded one is stale. Returns the sandbox as it is then.</summary>
    /// <exception cref="SandboxException">It takes no commands any more.</exception>
    public async Task<Sandbox> TouchAsync(Sandbox sandbox, CancellationToken cancellationToken)
    {
        // The sandbox itself may be in best health: serving it matters more than the record.
        if (!registry.IsCurrent) return sandbox;
        using var patience = new CancellationTokenSource(Patience, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            for (var attempt = 1; attempt <= Attempts && clock.GetUtcNow() - sandbox.LastUsed > Staleness; attempt++)
            {
                if (await WriteAsync(sandbox, both.Token) is { } touched) return touched;
                // Somebody else changed it, most often by recording the same use.
                sandbox = await registry.ReadAsync(sandbox.Name, both.Token) is { AcceptsCommands: true } live && live.Uid == sandbox.Uid
                    ? live
                    : throw SandboxException.NotFound(sandbox.Name);
            }
        }
        catch (BackendUnavailableException e)
        {
            LogNotRecorded(sandbox.Name, e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotRecorded(sandbox.Name, $"no answer within {Patience.TotalSeconds} s");
        }

        return sandbox;
    }

    private async Task<Sandbox?> WriteAsync(Sandbox sandbox, CancellationToken cancellationToken)
    {
        try
        {
            var touched = await backend.ChangeAsync(sandbox, new SandboxChange { LastActivity = clock.GetUtcNow() }, ChangeCondition.SameVersion, cancellationToken);
            registry.Replace(sandbox, touched);
            return touched;
        }
        catch (SandboxConflictException)
        {
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The use of sandbox {Name} could not be recorded: {Reason}")]
    private partial void LogNotRecorded(string name, string reason);
}
