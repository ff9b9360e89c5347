using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

/// <summary>Reading JSON by hand: what is not asked for is skipped, and what is <c>null</c> or of another type is not there.</summary>
internal static class JsonWalk
{
    /// <summary>Moves on to the next property of the object we are in; <see langword="false"/> at its end.</summary>
    public static bool NextProperty(this ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    /// <summary>Moves into the object that is the property's value.</summary>
    public static bool EnterObject(this ref Utf8JsonReader reader) => Enter(ref reader, JsonTokenType.StartObject);

    /// <summary>Moves into the array that is the property's value.</summary>
    public static bool EnterArray(this ref Utf8JsonReader reader) => Enter(ref reader, JsonTokenType.StartArray);

    /// <summary>Moves into the next object of the array we are in; <see langword="false"/> at its end.</summary>
    public static bool NextObject(this ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType == JsonTokenType.StartObject) return true;
            reader.Skip();
        }

        return false;
    }

    /// <summary>The property's value.</summary>
    public static string? Text(this ref Utf8JsonReader reader) => MoveToText(ref reader) ? reader.GetString() : null;

    /// <summary>The property's value, shared with whoever read the same before.</summary>
    public static string? Text(this ref Utf8JsonReader reader, StringPool strings) => MoveToText(ref reader) ? strings.Get(ref reader) : null;

    /// <summary>The property's value.</summary>
    public static DateTimeOffset? Time(this ref Utf8JsonReader reader) =>
        MoveToText(ref reader) && reader.TryGetDateTimeOffset(out var time) ? time : null;

    /// <summary>The property's value.</summary>
    public static int? Number(this ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number) return reader.TryGetInt32(out var number) ? number : null;
        reader.Skip();
        return null;
    }

    private static bool MoveToText(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String) return true;
        reader.Skip();
        return false;
    }

    private static bool Enter(ref Utf8JsonReader reader, JsonTokenType start)
    {
        reader.Read();
        if (reader.TokenType == start) return true;
        reader.Skip();
        return false;
    }
}
