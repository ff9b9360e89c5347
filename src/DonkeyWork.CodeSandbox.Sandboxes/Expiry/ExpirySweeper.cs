using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Sandboxes.Expiry;

/// <summary>
/// Deletes sandboxes that are idle, expired, ended, silent, stuck in creation, or claimed by nobody who knows: every
/// <see cref="SandboxOptions.CleanupCheckIntervalMinutes"/>, on every Manager. Each delete is bound to the version that was
/// judged, so it does not matter how many sweep at once.
/// </summary>
public sealed partial class ExpirySweeper(
    SandboxService service,
    SandboxRegistry registry,
    ISandboxBackend backend,
    SandboxTokens tokens,
    SandboxOptions options,
    TimeProvider clock,
    ILogger<ExpirySweeper> logger) : BackgroundService
{
    private const int SweptAtOnce = 8;

    private readonly ExpiryJudge _judge = new(
        new ExpiryRules(options), new ExecutorStatsReader(backend, tokens, clock), new ActivityWriter(registry, backend), registry, options, clock);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                // Managers that were started together do not sweep together.
                var jitter = 0.9 + (Random.Shared.NextDouble() / 5);
                await Task.Delay(TimeSpan.FromMinutes(options.CleanupCheckIntervalMinutes) * jitter, clock, stoppingToken);
                await SweepAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host is stopping.
        }
    }

    /// <summary>Judges every sandbox once. Does nothing while the backend is lost; what fails is for the next sweep.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        if (!registry.IsCurrent)
        {
            _judge.ForgetSilence();
            return;
        }

        var sandboxes = registry.All.ToList();
        _judge.KeepOnly(sandboxes.Select(sandbox => sandbox.Uid).ToHashSet(StringComparer.Ordinal));
        // Those that let the question time out keep the others waiting once and not again.
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = SweptAtOnce, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(sandboxes.OrderBy(_judge.IsSilent), parallel, async (sandbox, stop) => await SweepAsync(sandbox, stop));
    }

    private async Task SweepAsync(Sandbox sandbox, CancellationToken cancellationToken)
    {
        try
        {
            if (await IsDoneAsync(sandbox, cancellationToken)) return;
            // Changed since it was seen. What is expired must go in the end however often that happens, so it is judged again as it is.
            if (await registry.ReadAsync(sandbox.Name, cancellationToken) is { } live && live.Uid == sandbox.Uid) await IsDoneAsync(live, cancellationToken);
        }
        catch (SandboxException e) when (e.Code == ErrorCodes.SandboxNotFound)
        {
            // It went while it was judged.
        }
        catch (Exception e) when (e is BackendUnavailableException or SandboxConflictException)
        {
            LogNotSwept(sandbox.Name, e.Message);
        }
        // One sandbox, and be it by a defect of ours, must not keep all others from being swept.
        catch (Exception e) when (e is not OutOfMemoryException && !cancellationToken.IsCancellationRequested)
        {
            LogSweepFailed(sandbox.Name, e);
        }
    }

    // False: it has changed since it was judged.
    private async Task<bool> IsDoneAsync(Sandbox sandbox, CancellationToken cancellationToken) =>
        await _judge.JudgeAsync(sandbox, cancellationToken) is not { } why || await service.RemoveUnchangedAsync(sandbox, why, cancellationToken);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sandbox {Name} is left for the next sweep: {Reason}")]
    private partial void LogNotSwept(string name, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Sandbox {Name} could not be swept")]
    private partial void LogSweepFailed(string name, Exception exception);
}
