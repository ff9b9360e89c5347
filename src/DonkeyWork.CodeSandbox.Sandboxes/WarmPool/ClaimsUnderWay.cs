namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>
/// Claims go before refills: a sandbox that starts takes the machine from the very claim that it is to make up for. Only
/// what a claim does counts, and not how long it waits for a sandbox.
/// </summary>
internal sealed class ClaimsUnderWay
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _none = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count;

    public ClaimsUnderWay() => _none.SetResult();

    /// <summary>Ends when no claim is under way.</summary>
    public Task None
    {
        get { lock (_gate) return _none.Task; }
    }

    /// <summary>One begins, and ends when the result is disposed.</summary>
    public Claim Begin()
    {
        lock (_gate)
        {
            if (_count++ == 0) _none = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        return new Claim(this);
    }

    private void End()
    {
        lock (_gate)
        {
            if (--_count == 0) _none.SetResult();
        }
    }

    /// <summary>A claim that is under way.</summary>
    public readonly struct Claim(ClaimsUnderWay all) : IDisposable
    {
        public void Dispose() => all.End();
    }
}
