namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Requests;

/// <summary>The time that one request has.</summary>
internal sealed class RequestBudget : IDisposable
{
    private readonly TimeSpan _whole;
    private readonly TimeProvider _clock;
    private readonly long _start;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _either;

    public RequestBudget(TimeSpan whole, TimeProvider clock, CancellationToken cancellationToken)
    {
        (_whole, _clock, _start) = (whole, clock, clock.GetTimestamp());
        _timer = new CancellationTokenSource(whole, clock);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, cancellationToken);
    }

    /// <summary>Cancelled when the time is over, or the caller gives up.</summary>
    public CancellationToken Token => _either.Token;

    public bool IsOver => _timer.IsCancellationRequested;

    public TimeSpan Left => _whole - _clock.GetElapsedTime(_start);

    public void Dispose()
    {
        _either.Dispose();
        _timer.Dispose();
    }
}
