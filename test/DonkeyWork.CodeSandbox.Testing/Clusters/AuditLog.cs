using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>What the API server wrote down about who asked it for what: one line per request, written before the answer is sent.</summary>
public sealed class AuditLog(TestCluster cluster, ApiServer api)
{
    // Beside the kubeconfig, in the state directory of test/cluster.
    private readonly string _file = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(cluster.Kubeconfig))!, "audit.log");

    /// <summary>The requests of one user that were answered, or began to be, while <paramref name="action"/> ran: each once.</summary>
    public async Task<IReadOnlyList<AuditedCall>> DuringAsync(string user, Func<Task> action)
    {
        var recording = await BeginAsync(user);
        await action();
        return [.. (await recording.EndAsync()).Select(entry => entry.Call)];
    }

    /// <summary>Begins to record the requests of one user.</summary>
    public async Task<AuditRecording> BeginAsync(string user)
    {
        var before = new FileInfo(_file).Length;
        return new AuditRecording(this, user, before, await MarkAsync());
    }

    /// <summary>A request that is found again: for a pod that does not exist.</summary>
    internal async Task<string> MarkAsync()
    {
        var mark = $"mark-{Guid.NewGuid():N}";
        (await api.FindAsync($"/api/v1/namespaces/default/pods/{mark}")).ShouldBeNull();
        return mark;
    }

    /// <summary>Each request that is written down from a position of the file on: once, in the order of the file.</summary>
    internal IEnumerable<AuditEntry> Read(long from)
    {
        // What lasts is written down twice, when it begins and when it ends.
        var seen = new HashSet<string>(StringComparer.Ordinal);
        using var file = new FileStream(_file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Position = from;
        using var reader = new StreamReader(file);
        // A last line without its end is being written.
        var lines = reader.ReadToEnd().Split('\n')[..^1];
        foreach (var line in lines)
            if (AuditEntry.TryParse(line) is { } entry && seen.Add(entry.Id)) yield return entry;
    }
}

/// <summary>Who asked for what, and how it was answered.</summary>
public sealed record AuditedCall(string User, string Verb, string Resource, string Subresource, string Name, int Status);
