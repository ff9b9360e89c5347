using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace DonkeyWork.CodeSandbox.Manager.Kata;

/// <summary>Reads request bodies as strictly as the contract wants it.</summary>
internal static class JsonBody
{
    /// <summary>
    /// JSON is taken only as <c>application/json</c>: a page of another site can send every other type without asking first
    /// (https://fetch.spec.whatwg.org/#cors-safelisted-request-header).
    /// </summary>
    /// <returns><see langword="false"/>: there is no body.</returns>
    /// <exception cref="SandboxException"><see cref="ErrorCodes.UnsupportedMediaType"/>.</exception>
    public static bool Require(HttpRequest request)
    {
        var hasBody = request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? true;
        if (request.ContentType is null && !hasBody) return false;
        return MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            && (!type.Charset.HasValue || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
                ? hasBody
                : throw new SandboxException(ErrorCodes.UnsupportedMediaType, "The body must be application/json in UTF-8, and say so in Content-Type.");
    }

    /// <summary>Reads the body; no body at all is <see langword="null"/>.</summary>
    /// <exception cref="SandboxException"><see cref="ErrorCodes.UnsupportedMediaType"/>, <see cref="ErrorCodes.InvalidRequest"/>.</exception>
    /// <exception cref="BadHttpRequestException">It is too large.</exception>
    public static async Task<T?> ReadAsync<T>(HttpRequest request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        if (!Require(request)) return null;
        try
        {
            // A chunked body may turn out to be empty.
            var content = await request.BodyReader.ReadAsync(cancellationToken);
            var isEmpty = content.IsCompleted && content.Buffer.IsEmpty;
            request.BodyReader.AdvanceTo(content.Buffer.Start);
            if (isEmpty) return null;
            return await JsonSerializer.DeserializeAsync(request.BodyReader.AsStream(), type, cancellationToken)
                ?? throw Invalid("body", "Must be an object, not null.");
        }
        catch (JsonException e)
        {
            // The framework's messages name .NET types.
            throw e.InnerException is JsonException
                ? Invalid("body", $"Is not JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine}.")
                : WrongType(e.Path, type);
        }
    }

    private static InvalidSandboxException WrongType(string? path, JsonTypeInfo type)
    {
        var (field, expected) = JsonField.At(path, type);
        return Invalid(field, expected);
    }

    private static InvalidSandboxException Invalid(string field, string error) => new(new Dictionary<string, string[]> { [field] = [error] });
}
