using System.Globalization;
using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>One line of the audit log.</summary>
/// <param name="Id">The API server's own of the request.</param>
/// <param name="Call">Who asked for what, and how it was answered.</param>
/// <param name="Received">When the request came.</param>
/// <param name="Answered">When it was written down, just before the answer was sent.</param>
/// <param name="Sent">What was sent with it, of requests that change pods or leases.</param>
public sealed record AuditEntry(string Id, AuditedCall Call, DateTimeOffset Received, DateTimeOffset Answered, JsonElement? Sent)
{
    private const string Begin = """{"kind":"Event",""";

    public bool Succeeded => Call.Status is >= 200 and < 300;

    /// <summary>A write to a pod itself, and not to what a node says of it.</summary>
    public bool IsPodWrite => Call is { Resource: "pods", Subresource: "", Verb: "create" or "patch" or "update" or "delete" or "deletecollection" };

    /// <summary>The value that a JSON patch sets or tests at a path; <see langword="null"/>: it does not.</summary>
    public string? ValueOf(string operation, string path)
    {
        if (Sent is not { ValueKind: JsonValueKind.Array } operations) return null;
        foreach (var sent in operations.EnumerateArray())
            if (Text(sent, "op") == operation && Text(sent, "path") == path) return $"{sent.GetProperty("value")}";
        return null;
    }

    /// <summary>A label or an annotation of what a create sends.</summary>
    public string? MetadataOf(string map, string key) =>
        Sent is { ValueKind: JsonValueKind.Object } manifest && manifest.GetProperty("metadata").TryGetProperty(map, out var entries) && entries.TryGetProperty(key, out var value)
            ? value.GetString()
            : null;

    /// <summary><see langword="null"/>: no whole line, or not about an object.</summary>
    public static AuditEntry? TryParse(string line)
    {
        // An API server that was killed while it wrote has left the beginning of a line, which the next one went on with.
        var begin = line.LastIndexOf(Begin, StringComparison.Ordinal);
        if (begin < 0) return null;
        var entry = JsonDocument.Parse(line.AsMemory(begin)).RootElement;
        if (!entry.TryGetProperty("objectRef", out var target)) return null;
        return new AuditEntry(
            Text(entry, "auditID"),
            new AuditedCall(
                Text(entry.GetProperty("user"), "username"),
                Text(entry, "verb"),
                Text(target, "resource"),
                Text(target, "subresource"),
                Text(target, "name"),
                entry.TryGetProperty("responseStatus", out var status) ? status.GetProperty("code").GetInt32() : 0),
            Time(entry, "requestReceivedTimestamp"),
            Time(entry, "stageTimestamp"),
            entry.TryGetProperty("requestObject", out var sent) ? sent : null);
    }

    private static DateTimeOffset Time(JsonElement entry, string name) => DateTimeOffset.Parse(Text(entry, name), CultureInfo.InvariantCulture);

    private static string Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString()! : "";
}
