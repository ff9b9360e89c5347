using System.Buffers;
using System.Text;
using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api;

/// <summary>
/// A JSON patch (RFC 6902): its operations apply in order, all or none. Paths are JSON pointers (RFC 6901) as they stand in
/// the request; a key that is part of one goes through <see cref="Escape"/>.
/// </summary>
public sealed class JsonPatch
{
    private readonly List<(string Operation, string Path, object? Value)> _operations = [];

    /// <summary>Nothing is changed unless the text at <paramref name="path"/> is <paramref name="value"/>.</summary>
    public JsonPatch Test(string path, string value) => With("test", path, value);

    /// <summary>Nothing is changed unless the number at <paramref name="path"/> is <paramref name="value"/>.</summary>
    public JsonPatch Test(string path, int value) => With("test", path, value);

    /// <summary>Sets a text; what contains it must exist.</summary>
    public JsonPatch Add(string path, string value) => With("add", path, value);

    /// <summary>Sets a number; what contains it must exist.</summary>
    public JsonPatch Add(string path, int value) => With("add", path, value);

    /// <summary>Sets a text where there is a value.</summary>
    public JsonPatch Replace(string path, string value) => With("replace", path, value);

    /// <summary>Sets a number where there is a value.</summary>
    public JsonPatch Replace(string path, int value) => With("replace", path, value);

    /// <summary>Removes a value, which must be there.</summary>
    public JsonPatch Remove(string path) => With("remove", path, null);

    /// <summary>A key as part of a path: <c>~</c> becomes <c>~0</c>, <c>/</c> becomes <c>~1</c>.</summary>
    public static string Escape(string key) => key.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);

    /// <summary>The request's body.</summary>
    public override string ToString() => Encoding.UTF8.GetString(ToBytes().Span);

    internal ReadOnlyMemory<byte> ToBytes()
    {
        var body = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(body);
        writer.WriteStartArray();
        foreach (var (operation, path, value) in _operations)
        {
            writer.WriteStartObject();
            writer.WriteString("op", operation);
            writer.WriteString("path", path);
            if (value is int number) writer.WriteNumber("value", number);
            else if (value is string text) writer.WriteString("value", text);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.Flush();
        return body.WrittenMemory;
    }

    private JsonPatch With(string operation, string path, object? value)
    {
        _operations.Add((operation, path, value));
        return this;
    }
}
