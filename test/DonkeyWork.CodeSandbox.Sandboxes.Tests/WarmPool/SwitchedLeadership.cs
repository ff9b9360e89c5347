using DonkeyWork.CodeSandbox.Sandboxes.Leadership;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>Leads when a test says so.</summary>
internal sealed class SwitchedLeadership : ILeadership, IDisposable
{
    private CancellationTokenSource _ended = new();
    private TaskCompletionSource<LeadershipTerm> _leads = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public LeadershipTerm? Current { get; private set; }

    public Task<LeadershipTerm> WaitAsync(CancellationToken cancellationToken) => _leads.Task.WaitAsync(cancellationToken);

    public void Lead(int epoch)
    {
        _ended = new CancellationTokenSource();
        Current = new LeadershipTerm(epoch, _ended.Token);
        _leads.SetResult(Current);
    }

    /// <summary>The term has passed, and nothing has told so: as after a freeze.</summary>
    public void Lapse() => Current = null;

    public void End()
    {
        Current = null;
        _leads = new TaskCompletionSource<LeadershipTerm>(TaskCreationOptions.RunContinuationsAsynchronously);
        _ended.Cancel();
    }

    public void Dispose() => _ended.Dispose();
}
