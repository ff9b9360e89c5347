using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>Work that outlives the request which began it: cancelled and awaited when the host stops, logged when it fails.</summary>
public sealed partial class OwnedTasks(ILogger<OwnedTasks> logger) : IHostedService, IDisposable
{
    private readonly ConcurrentDictionary<Task, bool> _running = new();
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Begins <paramref name="work"/>; its token is cancelled when the host stops.</summary>
    public void Run(string what, Func<CancellationToken, Task> work)
    {
        var task = Task.Run(() => RunAsync(what, work));
        _running[task] = true;
        _ = task.ContinueWith(done => _running.TryRemove(done, out _), TaskScheduler.Default);
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_running.Keys).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    public void Dispose() => _stopping.Dispose();

    private async Task RunAsync(string what, Func<CancellationToken, Task> work)
    {
        try
        {
            await work(_stopping.Token);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The host is stopping.
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            LogFailed(what, e);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{What} failed")]
    private partial void LogFailed(string what, Exception exception);
}
