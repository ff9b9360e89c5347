using DonkeyWork.CodeSandbox.Sandboxes.Leadership;

namespace DonkeyWork.CodeSandbox.Manager.Commands;

/// <summary>A Manager that lives for one command makes no pool, and takes no other Manager's place.</summary>
internal sealed class NeverLeads : ILeadership
{
    public LeadershipTerm? Current => null;

    public async Task<LeadershipTerm> WaitAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        throw new InvalidOperationException();
    }
}
