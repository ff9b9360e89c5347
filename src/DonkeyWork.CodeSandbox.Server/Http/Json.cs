using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Http;

/// <summary>JSON bodies.</summary>
internal static class Json
{
    /// <summary>The largest body: a command of the largest size, every byte escaped, and an environment.</summary>
    public const int MaxBodyBytes = 1024 * 1024;

    /// <summary>
    /// The largest body that is still read, and forgotten, so that its sender is there to read the answer; a connection with a
    /// larger one is cut.
    /// </summary>
    public const int MaxDiscardedBytes = 64 * 1024 * 1024;

    private const string MediaType = "application/json";

    /// <summary>Reads the body.</summary>
    /// <exception cref="RequestException">It is not JSON, or a field has another type.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
    {
        if (!IsJson(context.Request.ContentType))
        {
            throw new RequestException(
                StatusCodes.Status415UnsupportedMediaType, ErrorCodes.UnsupportedMediaType, "The body must be application/json.");
        }

        var body = await ReadBodyAsync(context);
        try
        {
            return JsonSerializer.Deserialize(body, type)
                ?? throw Invalid("The body is null.");
        }
        catch (JsonException error)
        {
            // The framework's messages name .NET types.
            throw error.InnerException is JsonException
                ? Invalid($"The body is not JSON: line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}.")
                : FieldOf(error.Path) is { } field
                    ? InvalidFields(new() { [field] = ["has a value of a wrong type"] })
                    : Invalid("The body must be a JSON object.");
        }
    }

    /// <summary>The problem that names every wrong field.</summary>
    public static RequestException InvalidFields(Dictionary<string, string[]> errors) =>
        new(StatusCodes.Status400BadRequest, ErrorCodes.InvalidRequest,
            string.Join("; ", errors.Select(pair => $"{pair.Key}: {string.Join(", ", pair.Value)}")))
        { Errors = errors };

    /// <summary>Writes a body with status 200.</summary>
    public static Task WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(value, type);
        context.Response.ContentType = MediaType;
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private static RequestException Invalid(string detail) =>
        new(StatusCodes.Status400BadRequest, ErrorCodes.InvalidRequest, detail);

    private static async Task<byte[]> ReadBodyAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        var length = 0;
        int count;
        while ((count = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            length += count;
            if (length <= MaxBodyBytes)
                body.Write(buffer, 0, count);
        }

        return length <= MaxBodyBytes
            ? body.ToArray()
            : throw new RequestException(
                StatusCodes.Status413PayloadTooLarge, ErrorCodes.BodyTooLarge, $"The body has more than {MaxBodyBytes} bytes.");
    }

    private static bool IsJson(string? contentType)
    {
        var end = contentType?.IndexOf(';', StringComparison.Ordinal) ?? -1;
        return MediaType.Equals((end < 0 ? contentType : contentType![..end])?.Trim(), StringComparison.OrdinalIgnoreCase);
    }

    /// <summary><c>environment</c> of <c>$.environment.NAME</c>.</summary>
    private static string? FieldOf(string? path)
    {
        if (path is not ['$', '.', .. var rest])
            return null;
        var end = rest.AsSpan().IndexOfAny('.', '[');
        return end < 0 ? rest : rest[..end];
    }
}
