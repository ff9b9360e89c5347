using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Connection;

/// <summary>Makes an answer that is not what was asked for into an exception.</summary>
internal static class ProblemReader
{
    private const int MaxBytes = 64 * 1024;
    private const int MaxExcerpt = 200;

    public static async Task<CodeSandboxException> ReadAsync(HttpResponseMessage response, TimeProvider time, CancellationToken cancellationToken)
    {
        var retryAfter = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => TimeSpan.FromTicks(Math.Max(0, (date - time.GetUtcNow()).Ticks)),
            _ => (TimeSpan?)null,
        };
        var body = await ReadStartAsync(response, cancellationToken).ConfigureAwait(false);
        var problem = Parse(response, body);
        return problem?.Code is { } code
            ? Typed(code, problem, response.StatusCode, retryAfter)
            : new CodeSandboxException(ClientErrorCodes.UnexpectedResponse, Describe(response, body))
            {
                StatusCode = response.StatusCode,
                Problem = problem,
                RetryAfter = retryAfter,
            };
    }

    private static CodeSandboxException Typed(string code, Problem problem, HttpStatusCode status, TimeSpan? retryAfter)
    {
        var message = problem.Detail ?? problem.Message ?? problem.Title ?? $"{(int)status} {code}";
        return code switch
        {
            ErrorCodes.InvalidRequest => new InvalidRequestException(message, problem.Errors)
                { StatusCode = status, Problem = problem, RetryAfter = retryAfter },
            ErrorCodes.SandboxNotFound => new SandboxNotFoundException(message) { StatusCode = status, Problem = problem, RetryAfter = retryAfter },
            ErrorCodes.SandboxNotReady => new SandboxNotReadyException(message) { StatusCode = status, Problem = problem, RetryAfter = retryAfter },
            ErrorCodes.LimitReached => new LimitReachedException(message) { StatusCode = status, Problem = problem, RetryAfter = retryAfter },
            ErrorCodes.PoolExhausted => new PoolExhaustedException(message) { StatusCode = status, Problem = problem, RetryAfter = retryAfter },
            ErrorCodes.ExecutionNotFound => new ExecutionNotFoundException(message) { StatusCode = status, Problem = problem, RetryAfter = retryAfter },
            ErrorCodes.ExecutionDeleted => new ExecutionDeletedException(message) { StatusCode = status, Problem = problem, RetryAfter = retryAfter },
            ErrorCodes.ExecutionExists => new ExecutionExistsException(message) { StatusCode = status, Problem = problem, RetryAfter = retryAfter },
            ErrorCodes.ExecutionExited => new ExecutionExitedException(message) { StatusCode = status, Problem = problem, RetryAfter = retryAfter },
            ErrorCodes.StdinClosed => new StandardInputClosedException(message) { StatusCode = status, Problem = problem, RetryAfter = retryAfter },
            _ => new CodeSandboxException(code, message) { StatusCode = status, Problem = problem, RetryAfter = retryAfter },
        };
    }

    private static async Task<ReadOnlyMemory<byte>> ReadStartAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            var start = new byte[MaxBytes];
            var length = await stream.ReadAtLeastAsync(start, MaxBytes, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return start.AsMemory(0, length);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            // The status is known; a body that breaks off has nothing to add.
            return default;
        }
    }

    private static Problem? Parse(HttpResponseMessage response, ReadOnlyMemory<byte> body)
    {
        if (response.Content.Headers.ContentType?.MediaType is not (Problem.MediaType or "application/json"))
            return null;
        try
        {
            return JsonSerializer.Deserialize(body.Span, ContractsJsonContext.Default.Problem);
        }
        catch (JsonException)
        {
            // Not a problem of ours, then: a proxy's JSON, or one cut short.
            return null;
        }
    }

    private static string Describe(HttpResponseMessage response, ReadOnlyMemory<byte> body)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"The answer is not of this protocol: {(int)response.StatusCode} {response.ReasonPhrase}");
        if (response.Headers.Location is { } location)
            text.Append(CultureInfo.InvariantCulture, $", a redirect to {location}, which is not followed; give the client the final address");
        else if (response.Content.Headers.ContentType is { } type)
            text.Append(CultureInfo.InvariantCulture, $", {type.MediaType}");
        if (body.Length > 0)
            text.Append(": ").Append(Excerpt(Encoding.UTF8.GetString(body.Span)));
        return text.ToString();
    }

    private static string Excerpt(string text)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= MaxExcerpt ? line : line[..MaxExcerpt] + "…";
    }
}
