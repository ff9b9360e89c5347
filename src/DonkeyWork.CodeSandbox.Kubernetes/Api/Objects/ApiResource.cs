using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

/// <summary>Reads the object whose start the reader is at, or right before.</summary>
internal delegate T ReadObject<out T>(ref Utf8JsonReader reader);

/// <summary>One kind of object in one namespace.</summary>
/// <param name="Path">Where its objects are, relative to the server.</param>
/// <param name="Read">Reads one.</param>
internal sealed record ApiResource<T>(string Path, ReadObject<T> Read)
{
    public string PathOf(string name) => $"{Path}/{Uri.EscapeDataString(name)}";

    public string Query(string? labelSelector, string query) =>
        labelSelector is null ? $"{Path}?{query}" : $"{Path}?{query}&labelSelector={Uri.EscapeDataString(labelSelector)}";

    public T ReadOne(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body);
        reader.Read();
        return Read(ref reader);
    }
}
