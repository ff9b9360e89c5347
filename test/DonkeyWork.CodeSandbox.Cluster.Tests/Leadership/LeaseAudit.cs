namespace DonkeyWork.CodeSandbox.Cluster.Tests.Leadership;

/// <summary>Who led when, as the API server wrote it down.</summary>
internal sealed class LeaseAudit(IReadOnlyList<AuditEntry> entries)
{
    private const string Holder = "/spec/holderIdentity";

    private readonly IReadOnlyList<AuditEntry> _writes = [.. entries.Where(entry => entry is { Succeeded: true, Call.Resource: "leases" })];

    /// <summary>The last time that a holder said the lease is still its own.</summary>
    public DateTimeOffset LastRenewalOf(string holder) =>
        _writes.Last(entry => entry.ValueOf("test", Holder) == holder && entry.ValueOf("add", "/spec/renewTime") is not null).Answered;

    /// <summary>When a holder said that the lease is nobody's.</summary>
    public DateTimeOffset ReleaseBy(string holder) =>
        _writes.Last(entry => entry.ValueOf("test", Holder) == holder && entry.ValueOf("replace", Holder) == "").Answered;

    /// <summary>When somebody else made it his own.</summary>
    public DateTimeOffset TakeBy(string holder) => _writes.First(entry => entry.ValueOf("add", Holder) == holder).Answered;

    /// <summary>The creates of sandboxes of the pool that came after a moment, with the epoch that each carries.</summary>
    public IReadOnlyList<(string Name, int Epoch)> RefillsAfter(DateTimeOffset moment) =>
    [
        .. entries.Where(entry => entry is { Succeeded: true, Call: { Resource: "pods", Subresource: "", Verb: "create" } } && entry.Received >= moment)
            .Select(entry => (entry.Call.Name, int.Parse(entry.MetadataOf("annotations", "codesandbox.donkeywork.dev/epoch")!, System.Globalization.CultureInfo.InvariantCulture))),
    ];
}
