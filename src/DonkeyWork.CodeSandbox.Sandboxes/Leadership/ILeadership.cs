namespace DonkeyWork.CodeSandbox.Sandboxes.Leadership;

/// <summary>Which one of any number of Managers does what only one may do.</summary>
public interface ILeadership
{
    /// <summary>
    /// The term in which this Manager leads at this very moment; <see langword="null"/> where it does not, or can no longer
    /// be sure. By the monotonic clock: a process that was frozen past its lease does not lead when it wakes up.
    /// </summary>
    LeadershipTerm? Current { get; }

    /// <summary>Waits until this Manager leads.</summary>
    Task<LeadershipTerm> WaitAsync(CancellationToken cancellationToken);
}

/// <summary>One time of leading without a break.</summary>
/// <param name="Epoch">Its number: a later term of whichever Manager has a larger one.</param>
/// <param name="Ended">Cancelled when it is over, as soon as this process knows.</param>
public sealed record LeadershipTerm(int Epoch, CancellationToken Ended);
