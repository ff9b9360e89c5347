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
        var before = new FileInfo(_file).Length;
        var begin = await MarkAsync();
        await action();
        var end = await MarkAsync();

        var calls = new List<AuditedCall>();
        await Patience.UntilAsync(
            () =>
            {
                calls = [.. Read(before)];
                return calls.Exists(call => call.Name == end);
            },
            () => $"{_file} does not show a request that was answered.");
        return
        [
            .. calls.SkipWhile(call => call.Name != begin).Skip(1).TakeWhile(call => call.Name != end)
                .Where(call => call.User == user),
        ];
    }

    /// <summary>A request that is found again: for a pod that does not exist.</summary>
    private async Task<string> MarkAsync()
    {
        var mark = $"mark-{Guid.NewGuid():N}";
        (await api.FindAsync($"/api/v1/namespaces/default/pods/{mark}")).ShouldBeNull();
        return mark;
    }

    private IEnumerable<AuditedCall> Read(long from)
    {
        // What lasts is written down twice, when it begins and when it ends.
        var seen = new HashSet<string>(StringComparer.Ordinal);
        using var file = new FileStream(_file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        file.Position = from;
        using var reader = new StreamReader(file);
        // A last line without its end is being written.
        var lines = reader.ReadToEnd().Split('\n')[..^1];
        foreach (var line in lines)
        {
            var entry = JsonDocument.Parse(line).RootElement;
            if (!entry.TryGetProperty("objectRef", out var target) || !seen.Add(Text(entry, "auditID"))) continue;
            yield return new AuditedCall(
                Text(entry.GetProperty("user"), "username"),
                Text(entry, "verb"),
                Text(target, "resource"),
                Text(target, "subresource"),
                Text(target, "name"),
                entry.TryGetProperty("responseStatus", out var status) ? status.GetProperty("code").GetInt32() : 0);
        }
    }

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString()! : "";
}

/// <summary>One line of the audit log.</summary>
public sealed record AuditedCall(string User, string Verb, string Resource, string Subresource, string Name, int Status);
