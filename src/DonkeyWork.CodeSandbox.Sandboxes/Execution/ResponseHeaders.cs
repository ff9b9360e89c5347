using System.Globalization;
using System.Net.Http.Headers;

namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>What of an executor's headers reaches a caller. A sandbox's word is never taken for a cookie, a redirect or a policy.</summary>
internal static class ResponseHeaders
{
    private const int MaxValueLength = 256;

    private static readonly string[] OfContent = ["Content-Range", "Last-Modified"];
    private static readonly string[] OfResponse = ["Accept-Ranges", "ETag", "Retry-After", "X-File-Type", "X-File-Mode"];

    public static IEnumerable<KeyValuePair<string, string>> Select(HttpResponseMessage response, string? contentType)
    {
        if (contentType is not null) yield return new("Content-Type", contentType);
        // As it was understood, not as it was written: it is what frames the body.
        if ((int)response.StatusCode is not (101 or 204 or 304) && response.Content.Headers.ContentLength is { } length) yield return new("Content-Length", length.ToString(CultureInfo.InvariantCulture));
        foreach (var header in OfContent.SelectMany(name => Pick(response.Content.Headers, name))) yield return header;
        foreach (var header in OfResponse.SelectMany(name => Pick(response.Headers, name))) yield return header;
    }

    private static IEnumerable<KeyValuePair<string, string>> Pick(HttpHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out var values) && values.Count == 1 && IsPlain(values.ToString())
            ? [new(name, values.ToString())]
            : [];

    private static bool IsPlain(string value) =>
        value.Length is > 0 and <= MaxValueLength && !value.AsSpan().ContainsAnyExceptInRange(' ', '~');
}
