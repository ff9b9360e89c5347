using System.Runtime.InteropServices;
using DonkeyWork.CodeSandbox.Manager.Commands;
using DonkeyWork.CodeSandbox.Manager.Configuration;

namespace DonkeyWork.CodeSandbox.Manager.Draining;

/// <summary>
/// How the Manager stops. From the signal on it takes no more requests; those that are open may end by themselves for
/// <see cref="ManagerOptions.DrainSeconds"/>, and are ended then. A second signal ends them at once. Only after that do the
/// server and everything below it stop.
/// </summary>
internal sealed partial class Drain(
    ManagerSettings settings, IHostApplicationLifetime host, IHostLifetime signals, TimeProvider clock, ILogger<Drain> logger)
    : IHostedLifecycleService, IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _over = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private PosixSignalRegistration? _onInterrupt;
    private PosixSignalRegistration? _onTerminate;
    private int _signals;
    private int _open;

    /// <summary>Whether the Manager is stopping.</summary>
    public bool HasBegun => host.ApplicationStopping.IsCancellationRequested;

    /// <summary>Cancelled when the requests that are still open have to end.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>Counts a request as open, until <see cref="Leave"/>. <see langword="false"/>: it comes too late.</summary>
    public bool TryEnter()
    {
        lock (_gate)
        {
            if (HasBegun) return false;
            _open++;
            return true;
        }
    }

    /// <summary>The request has ended.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            if (--_open == 0 && HasBegun) _empty.TrySetResult();
        }
    }

    /// <inheritdoc/>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // A host that its program stops, and no signal, begins here.
        host.StopApplication();
        lock (_gate)
        {
            if (_open == 0) return;
            LogDraining(_open, settings.Options.DrainSeconds);
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(Over, cancellationToken);
        await _empty.Task.WaitAsync(settings.Options.Drain, clock, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            if (_open > 0) LogCut(_open);
        }

        await _over.CancelAsync();
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        // Where no signal ends the host, none may end its requests: what deletes the sandbox of an interrupted command is one.
        if (signals is NoLifetime) return Task.CompletedTask;

        // From the beginning: the host tells of the first signal only, and the second may come right behind it.
        _onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Count);
        _onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Count);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose()
    {
        _onInterrupt?.Dispose();
        _onTerminate?.Dispose();
        _over.Dispose();
    }

    private void Count(PosixSignalContext signal)
    {
        if (Interlocked.Increment(ref _signals) == 2) _over.Cancel();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Stopping; {Open} open requests have {Seconds} s to end")]
    private partial void LogDraining(int open, int seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Open} requests are still open and are cut")]
    private partial void LogCut(int open);
}
