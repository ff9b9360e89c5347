using System.Diagnostics.CodeAnalysis;

namespace DonkeyWork.CodeSandbox.Client.Executions;

/// <summary>How many read an execution's output through one object, for whoever waits for its end to know whether anybody does.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A source without a timer and without links has nothing to release.")]
internal sealed class Readership
{
    private readonly Lock _lock = new();
    private int _readers;
    private CancellationTokenSource _changed = new();

    /// <summary>One more, until that is disposed.</summary>
    public IDisposable Join()
    {
        Count(1);
        return new Membership(this);
    }

    /// <summary>Whether nobody reads, and what is cancelled when that changes.</summary>
    public (bool IsEmpty, CancellationToken Changed) Look()
    {
        lock (_lock)
            return (_readers == 0, _changed.Token);
    }

    private void Count(int change)
    {
        CancellationTokenSource? told = null;
        lock (_lock)
        {
            var wasEmpty = _readers == 0;
            _readers += change;
            if (wasEmpty != (_readers == 0))
                (told, _changed) = (_changed, new CancellationTokenSource());
        }

        told?.Cancel();
    }

    private sealed class Membership(Readership readership) : IDisposable
    {
        private Readership? _readership = readership;

        public void Dispose() => Interlocked.Exchange(ref _readership, null)?.Count(-1);
    }
}
