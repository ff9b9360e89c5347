namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Tokens;

/// <summary>A token that a plug-in gets for us, kept until shortly before it ends.</summary>
internal sealed class ExecToken(ExecPlugin plugin, TimeProvider clock) : ITokenSource, IDisposable
{
    private static readonly TimeSpan Early = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _disposed = new();
    private ExecStatus? _status;
    private Task<ExecStatus>? _running;

    /// <inheritdoc/>
    /// <remarks>One run serves all that wait; whoever stops waiting does not end it.</remarks>
    public async ValueTask<string> GetAsync(string? refused, CancellationToken cancellationToken)
    {
        Task<ExecStatus> run;
        lock (_gate)
        {
            if (_running is { IsCompletedSuccessfully: true }) _status = _running.Result;
            if (_running is { IsCompleted: true }) _running = null;
            if (_status is not null && _status.Token != refused && IsGood(_status)) return _status.Token!;
            run = _running ??= ExecRun.RunAsync(plugin, clock, _disposed.Token);
        }

        return (await run.WaitAsync(cancellationToken)).Token!;
    }

    public void Dispose()
    {
        _disposed.Cancel();
        _disposed.Dispose();
    }

    private bool IsGood(ExecStatus status) => status.ExpirationTimestamp is not { } end || end - clock.GetUtcNow() > Early;
}
