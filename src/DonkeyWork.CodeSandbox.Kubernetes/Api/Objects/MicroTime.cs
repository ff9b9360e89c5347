using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

/// <summary>The API's <c>MicroTime</c>: RFC 3339 in UTC with exactly six digits of fraction, which the server insists on.</summary>
public static class MicroTime
{
    /// <summary>As it stands in a request, for example <c>2026-01-02T03:04:05.000006Z</c>.</summary>
    public static string Format(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}

internal sealed class MicroTimeConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
        writer.WriteStringValue(MicroTime.Format(value));
}
