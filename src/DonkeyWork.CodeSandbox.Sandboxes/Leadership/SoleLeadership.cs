namespace DonkeyWork.CodeSandbox.Sandboxes.Leadership;

/// <summary>There is but one Manager, and it always leads.</summary>
public sealed class SoleLeadership : ILeadership
{
    private static readonly LeadershipTerm ForEver = new(0, CancellationToken.None);

    /// <inheritdoc/>
    public LeadershipTerm? Current => ForEver;

    /// <inheritdoc/>
    public Task<LeadershipTerm> WaitAsync(CancellationToken cancellationToken) => Task.FromResult(ForEver);
}
