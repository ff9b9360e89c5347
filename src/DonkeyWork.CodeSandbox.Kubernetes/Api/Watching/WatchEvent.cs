using System.Text.Json;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Requests;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;

/// <summary>What one line of a watch is.</summary>
internal enum WatchEventKind
{
    /// <summary>Something that this client does not know.</summary>
    Unknown,

    /// <summary>New or changed.</summary>
    Changed,

    /// <summary>Gone.</summary>
    Deleted,

    /// <summary>Nothing but a newer resource version to go on from.</summary>
    Bookmark,

    /// <summary>The watch ends with a refusal.</summary>
    Error,
}

/// <summary>One line of a watch.</summary>
internal readonly record struct WatchEvent<T>(WatchEventKind Kind, T? Item, string? ResourceVersion, ApiException? Error) where T : class, IApiObject
{
    /// <param name="line">One JSON object.</param>
    /// <param name="readObject">Reads what the event is about.</param>
    /// <exception cref="JsonException">It is none, such as a line that has been cut.</exception>
    public static WatchEvent<T> Read(ReadOnlySpan<byte> line, ReadObject<T> readObject)
    {
        var reader = new Utf8JsonReader(line);
        var kind = WatchEventKind.Unknown;
        var about = default(Utf8JsonReader);
        var seen = false;
        reader.Read();
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("type"u8))
            {
                kind = ReadKind(ref reader);
            }
            else if (reader.ValueTextEquals("object"u8) && kind == WatchEventKind.Unknown)
            {
                // The type is told behind it, then: read once it is known.
                reader.Read();
                about = reader;
                seen = true;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("object"u8))
            {
                reader.Read();
                return Read(kind, ref reader, readObject);
            }
            else
            {
                reader.Skip();
            }
        }

        return seen ? Read(kind, ref about, readObject) : default;
    }

    private static WatchEventKind ReadKind(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.ValueTextEquals("MODIFIED"u8) || reader.ValueTextEquals("ADDED"u8)) return WatchEventKind.Changed;
        if (reader.ValueTextEquals("DELETED"u8)) return WatchEventKind.Deleted;
        if (reader.ValueTextEquals("BOOKMARK"u8)) return WatchEventKind.Bookmark;
        return reader.ValueTextEquals("ERROR"u8) ? WatchEventKind.Error : WatchEventKind.Unknown;
    }

    private static WatchEvent<T> Read(WatchEventKind kind, ref Utf8JsonReader reader, ReadObject<T> readObject)
    {
        switch (kind)
        {
            case WatchEventKind.Changed or WatchEventKind.Deleted or WatchEventKind.Bookmark:
                var item = readObject(ref reader);
                return new WatchEvent<T>(kind, item, item.ResourceVersion, null);
            case WatchEventKind.Error:
                var status = JsonSerializer.Deserialize(ref reader, WireJsonContext.Default.StatusDocument);
                return new WatchEvent<T>(kind, null, null, ApiFailures.Refusal(status!, status!.Code ?? 500));
            default:
                return default;
        }
    }
}
