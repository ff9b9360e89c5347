namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>The requests of one user from a moment on.</summary>
public sealed class AuditRecording
{
    private readonly AuditLog _log;
    private readonly string _user;
    private readonly long _from;
    private readonly string _begin;

    internal AuditRecording(AuditLog log, string user, long from, string begin) => (_log, _user, _from, _begin) = (log, user, from, begin);

    /// <summary>What was answered, or began to be, up to now.</summary>
    public async Task<IReadOnlyList<AuditEntry>> EndAsync()
    {
        var end = await _log.MarkAsync();
        var entries = new List<AuditEntry>();
        await Patience.UntilAsync(
            () =>
            {
                entries = [.. _log.Read(_from)];
                return entries.Exists(entry => entry.Call.Name == end);
            },
            () => "The audit log does not show a request that was answered.");
        return
        [
            .. entries.SkipWhile(entry => entry.Call.Name != _begin).Skip(1).TakeWhile(entry => entry.Call.Name != end)
                .Where(entry => entry.Call.User == _user),
        ];
    }
}
