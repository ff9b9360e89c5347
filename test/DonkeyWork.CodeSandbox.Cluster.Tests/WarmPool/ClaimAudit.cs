namespace DonkeyWork.CodeSandbox.Cluster.Tests.WarmPool;

/// <summary>What the API server wrote down of Managers, by what it was for.</summary>
internal sealed class ClaimAudit
{
    private const string PoolStatusPath = "/metadata/labels/pool-status";

    public ClaimAudit(IReadOnlyList<AuditEntry> entries)
    {
        var writes = entries.Where(entry => entry.IsPodWrite).ToList();
        var attempts = writes.Where(IsClaim).ToList();
        Claims = [.. attempts.Where(entry => entry.Succeeded)];
        ClaimsRefused = attempts.Count - Claims.Count;
        Refills = [.. writes.Where(entry => entry is { Succeeded: true, Call.Verb: "create" } && entry.MetadataOf("labels", "pool-status") == "warm")];
        OtherPatches = writes.Count(entry => entry is { Succeeded: true, Call.Verb: "patch" } && !IsClaim(entry));
        Deletes = writes.Count(entry => entry is { Succeeded: true, Call.Verb: "delete" });
        Reads = [.. entries.Where(entry => entry.Call is { Resource: "pods", Subresource: "", Verb: "get" or "list" })];
        LeaseWrites = entries.Count(entry => entry.Call is { Resource: "leases", Verb: "create" or "patch" or "update" });
    }

    /// <summary>The patches that made a sandbox somebody's.</summary>
    public IReadOnlyList<AuditEntry> Claims { get; }

    /// <summary>Those that met a sandbox which was somebody's already, or gone.</summary>
    public int ClaimsRefused { get; }

    /// <summary>The creates of sandboxes of the pool.</summary>
    public IReadOnlyList<AuditEntry> Refills { get; }

    /// <summary>Patches that were no claims: of the last use.</summary>
    public int OtherPatches { get; }

    public int Deletes { get; }

    /// <summary>Pods read or listed; watches are none.</summary>
    public IReadOnlyList<AuditEntry> Reads { get; }

    public int LeaseWrites { get; }

    /// <summary>What must not be, in words: nothing where every answer names a sandbox of its own that was claimed once.</summary>
    public IReadOnlyList<string> FaultsOf(StormReport report)
    {
        var claimed = Claims.GroupBy(claim => claim.Call.Name).ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);
        return
        [
            .. report.NamedTwice.Select(name => $"{name} was answered twice"),
            .. claimed.Where(sandbox => sandbox.Value > 1).Select(sandbox => $"{sandbox.Key} was claimed {sandbox.Value} times"),
            .. report.Answers.Where(answer => !claimed.ContainsKey(answer.Name)).Select(answer => $"{answer.Name} was answered and never claimed"),
        ];
    }

    /// <summary>
    /// Claims that were written, and whose sandbox nobody was answered with: the answer was lost, or its executor did not
    /// open in time and the claim went on to the next.
    /// </summary>
    public int UnansweredOf(StormReport report) => Claims.Select(claim => claim.Call.Name).Except(report.Answers.Select(answer => answer.Name)).Count();

    public override string ToString() =>
        $"audit log: {Claims.Count} claims written, {ClaimsRefused} refused; beside them {Refills.Count} refills, {OtherPatches} activity writes, {Deletes} deletes, {Reads.Count} reads, {LeaseWrites} lease writes";

    private static bool IsClaim(AuditEntry entry) =>
        entry.Call.Verb == "patch" && (entry.ValueOf("add", PoolStatusPath) ?? entry.ValueOf("replace", PoolStatusPath)) == "allocated";
}
