using System.Globalization;
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
        var error = problem?.Code is { } code
            ? Typed(code, problem.Detail ?? problem.Message ?? problem.Title ?? $"{(int)response.StatusCode} {code}", problem)
            : new CodeSandboxException(ClientErrorCodes.UnexpectedResponse, Describe(response, body));
        return error.AnsweredBy(response.StatusCode, problem, retryAfter);
    }

    private static CodeSandboxException Typed(string code, string message, Problem problem) => code switch
    {
        ErrorCodes.InvalidRequest => new InvalidRequestException(message, problem.Errors),
        ErrorCodes.SandboxNotFound => new SandboxNotFoundException(message),
        ErrorCodes.SandboxNotReady => new SandboxNotReadyException(message),
        ErrorCodes.LimitReached => new LimitReachedException(message),
        ErrorCodes.PoolExhausted => new PoolExhaustedException(message),
        ErrorCodes.ExecutionNotFound => new ExecutionNotFoundException(message),
        ErrorCodes.ExecutionDeleted => new ExecutionDeletedException(message),
        ErrorCodes.ExecutionExists => new ExecutionExistsException(message),
        ErrorCodes.ExecutionExited => new ExecutionExitedException(message),
        ErrorCodes.StdinClosed => new StandardInputClosedException(message),
        ErrorCodes.Interrupted => new InterruptedException(code, message),
        ErrorCodes.NotFound => new SandboxFileNotFoundException(message),
        ErrorCodes.Forbidden => new SandboxFileForbiddenException(message),
        ErrorCodes.Exists => new SandboxFileExistsException(message),
        ErrorCodes.PreconditionFailed => new SandboxFileChangedException(message),
        ErrorCodes.NoSpace => new SandboxDiskFullException(message),
        ErrorCodes.BadArchive => new BadArchiveException(message, problem.Unpacked),
        ErrorCodes.NotADirectory or ErrorCodes.IsADirectory or ErrorCodes.DirectoryNotEmpty or ErrorCodes.OtherFileSystem or ErrorCodes.RangeNotSatisfiable =>
            new SandboxFileException(code, message),
        _ => new CodeSandboxException(code, message),
    };

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
