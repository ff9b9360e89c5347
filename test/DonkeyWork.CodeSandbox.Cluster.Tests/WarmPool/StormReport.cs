namespace DonkeyWork.CodeSandbox.Cluster.Tests.WarmPool;

/// <summary>What the callers of a storm saw.</summary>
/// <param name="Answers">Every claim that was answered.</param>
/// <param name="Counts">What else happened to them, and how often.</param>
/// <param name="Took">From the first claim to the last deletion.</param>
internal sealed record StormReport(IReadOnlyList<ClaimAnswer> Answers, IReadOnlyDictionary<string, int> Counts, TimeSpan Took)
{
    /// <summary>A sandbox that was answered and then not there.</summary>
    public const string Lost = "answered sandboxes that were gone";

    /// <summary>A sandbox in which somebody had been before.</summary>
    public const string Traces = "answered sandboxes with traces of another";

    /// <summary>A command that did not see its claim's environment.</summary>
    public const string Bare = "commands without the claim's environment";

    public IReadOnlyList<string> NamedTwice { get; } = [.. Answers.GroupBy(answer => answer.Name).Where(group => group.Count() > 1).Select(group => group.Key)];

    private TimeSpan HalfWithin => Answers.Select(answer => answer.Took).Order().ElementAtOrDefault(Answers.Count / 2);

    public override string ToString() => string.Join('\n',
    [
        $"{Answers.Count} claims answered in {Took.TotalSeconds:0.0} s (half of them within {HalfWithin.TotalMilliseconds:0} ms, refills included), {NamedTwice.Count} sandboxes named twice",
        .. Counts.OrderBy(count => count.Key, StringComparer.Ordinal).Select(count => $"{count.Value} × {count.Key}"),
    ]);
}
