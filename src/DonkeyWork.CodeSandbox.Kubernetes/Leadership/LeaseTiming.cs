using DonkeyWork.CodeSandbox.Kubernetes.Api.Requests;

namespace DonkeyWork.CodeSandbox.Kubernetes.Leadership;

/// <summary>
/// The times of an election. A holder is sure of its lease for less time than it has written, and counts from before it
/// asked; a follower waits for as long as is written, and counts from after it was told. Both by their own monotonic
/// clocks: so there are never two, while those run alike within a tenth.
/// </summary>
internal sealed record LeaseTiming
{
    // The share of the wanted duration that is written: what is left is for the word to get around.
    private const double WrittenShare = 0.8;
    private const double SureShare = 0.9;

    /// <param name="seconds">Within which another leads after a leader has died: <see cref="KubernetesOptions.LeaderLeaseDurationSeconds"/>.</param>
    public LeaseTiming(int seconds)
    {
        WrittenSeconds = (int)(seconds * WrittenShare);
        Written = TimeSpan.FromSeconds(WrittenSeconds);
        Sure = Written * SureShare;
    }

    /// <summary>What the lease says.</summary>
    public int WrittenSeconds { get; }

    /// <summary>The same.</summary>
    public TimeSpan Written { get; }

    /// <summary>How long a holder leads after it asked for the renewal that succeeded.</summary>
    public TimeSpan Sure { get; init; }

    /// <summary>How long one request may take: there must be time for a second one.</summary>
    public TimeSpan RequestLimit => Written / 4;

    /// <summary>From one renewal to the next.</summary>
    public TimeSpan NextRenewal() => Written / 3 * (0.9 + (Random.Shared.NextDouble() / 5));

    /// <summary>From a request that has failed to the next.</summary>
    public TimeSpan NextAttempt() => RetryPolicy.Jittered(Written / 20);

    /// <summary>How long after its end the lease is asked for, so that not all ask at once.</summary>
    public TimeSpan NextTake() => Written * (Random.Shared.NextDouble() / 40);
}
