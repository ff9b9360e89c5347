using DonkeyWork.CodeSandbox.Sandboxes.Leadership;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Leadership;

/// <summary>Asks two electors all the time whether they lead, and counts when both did at one moment.</summary>
internal sealed class Terms : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly Task _running;
    private int _overlaps;

    public Terms(ILeadership one, ILeadership other) => _running = Task.Factory.StartNew(() => Watch(one, other), TaskCreationOptions.LongRunning);

    /// <summary>How often both led.</summary>
    public int Overlaps => Volatile.Read(ref _overlaps);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running.WaitAsync(Patience.Limit);
        _end.Dispose();
    }

    private void Watch(ILeadership one, ILeadership other)
    {
        while (!_end.Token.WaitHandle.WaitOne(1))
        {
            // One that leads before and after has led all the while that the other was asked.
            if (one.Current is not { } term || other.Current is null || one.Current?.Epoch != term.Epoch) continue;
            Interlocked.Increment(ref _overlaps);
        }
    }
}
