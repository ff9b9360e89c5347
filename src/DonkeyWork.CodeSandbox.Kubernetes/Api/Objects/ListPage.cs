using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

/// <summary>A list, or a page of it.</summary>
/// <param name="Items">In the server's order.</param>
/// <param name="ResourceVersion">The moment it shows; a watch goes on from here.</param>
/// <param name="Continue">Asks for the next page of the same moment.</param>
internal readonly record struct ListPage<T>(List<T> Items, string ResourceVersion, string? Continue)
{
    public static ListPage<T> Read(ReadOnlySpan<byte> body, ReadObject<T> readObject)
    {
        var reader = new Utf8JsonReader(body);
        reader.Read();
        var items = new List<T>();
        var (version, next) = ("", default(string));
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("metadata"u8)) (version, next) = ReadMetadata(ref reader);
            else if (reader.ValueTextEquals("items"u8)) ReadItems(ref reader, readObject, items);
            else reader.Skip();
        }

        // What is not a list must not be taken for an empty one.
        return version.Length > 0 ? new ListPage<T>(items, version, next) : throw new JsonException("It is not a list.");
    }

    private static void ReadItems(ref Utf8JsonReader reader, ReadObject<T> readObject, List<T> items)
    {
        if (!reader.EnterArray()) return;
        while (reader.NextObject()) items.Add(readObject(ref reader));
    }

    private static (string Version, string? Continue) ReadMetadata(ref Utf8JsonReader reader)
    {
        string? version = null, next = null;
        if (!reader.EnterObject()) return ("", null);
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("resourceVersion"u8)) version = reader.Text();
            else if (reader.ValueTextEquals("continue"u8)) next = reader.Text();
            else reader.Skip();
        }

        return (version ?? "", string.IsNullOrEmpty(next) ? null : next);
    }
}
