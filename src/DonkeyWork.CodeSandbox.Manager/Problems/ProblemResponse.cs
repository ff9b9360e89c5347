using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DonkeyWork.CodeSandbox.Contracts;
using Microsoft.AspNetCore.WebUtilities;

namespace DonkeyWork.CodeSandbox.Manager.Problems;

/// <summary>Writes errors as RFC 9457 <c>application/problem+json</c>.</summary>
internal static class ProblemResponse
{
    // For people to read in a terminal: quotes stay quotes. No browser takes the media type for markup, and nosniff keeps it so.
    private static readonly JsonTypeInfo<Problem> Readable = (JsonTypeInfo<Problem>)
        new JsonSerializerOptions(ContractsJsonContext.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }.GetTypeInfo(typeof(Problem));

    /// <summary>Answers with a problem that has nothing beyond code and detail.</summary>
    public static Task WriteAsync(HttpContext context, int status, string code, string detail) =>
        WriteAsync(context, status, new Problem { Code = code, Detail = detail });

    /// <inheritdoc cref="WriteAsync(HttpContext, int, Problem, TimeSpan?)"/>
    public static Task WriteAsync(HttpContext context, (int Status, Problem Problem, TimeSpan? RetryAfter) error) =>
        WriteAsync(context, error.Status, error.Problem, error.RetryAfter);

    /// <summary>Answers with <paramref name="problem"/>; type, title and status are filled in.</summary>
    public static Task WriteAsync(HttpContext context, int status, Problem problem, TimeSpan? retryAfter = null)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = Problem.MediaType;
        if (retryAfter is { } pause) response.Headers.RetryAfter = ((int)Math.Ceiling(pause.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

        // about:blank: the title is the status' own phrase, and the code says the rest (RFC 9457, 4.2.1).
        var complete = problem with { Type = "about:blank", Title = ReasonPhrases.GetReasonPhrase(status), Status = status };
        var json = JsonSerializer.SerializeToUtf8Bytes(complete, Readable);
        response.ContentLength = json.Length;
        return response.Body.WriteAsync(json, context.RequestAborted).AsTask();
    }
}
