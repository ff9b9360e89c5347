using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Sandboxes.Expiry;

/// <summary>
/// Removes what is left of sandboxes that have ended by themselves: every
/// <see cref="SandboxOptions.CleanupCheckIntervalMinutes"/>, unless <see cref="SandboxOptions.CleanupCompletedPods"/> is off.
/// </summary>
public sealed partial class ExpirySweeper(
    SandboxService service, SandboxRegistry registry, SandboxOptions options, TimeProvider clock, ILogger<ExpirySweeper> logger) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.CleanupCompletedPods) return;
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(options.CleanupCheckIntervalMinutes), clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await SweepAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host is stopping.
        }
    }

    private async Task SweepAsync(CancellationToken stoppingToken)
    {
        foreach (var ended in registry.All.Where(sandbox => sandbox.HasEnded && !sandbox.IsDeleting))
        {
            try
            {
                await service.RemoveAsync(ended, stoppingToken);
            }
            catch (BackendUnavailableException e)
            {
                // The next sweep tries again.
                LogNotRemoved(ended.Name, e.Message);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "What is left of sandbox {Name} could not be removed: {Reason}")]
    private partial void LogNotRemoved(string name, string reason);
}
