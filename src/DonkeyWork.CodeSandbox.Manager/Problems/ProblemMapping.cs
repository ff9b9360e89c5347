using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Manager.Kata;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Manager.Problems;

/// <summary>The one place that knows which error is which status.</summary>
internal static class ProblemMapping
{
    private static readonly TimeSpan UntilAnotherManager = TimeSpan.FromSeconds(5);

    /// <summary>Whoever comes again after that may meet another Manager.</summary>
    public static (int Status, Problem Problem, TimeSpan? RetryAfter) Stopping { get; } =
        (503, new Problem { Code = ErrorCodes.Stopping, Detail = "The Manager is stopping." }, UntilAnotherManager);

    public static (int Status, Problem Problem, TimeSpan? RetryAfter) Of(Exception exception) => exception switch
    {
        InvalidSandboxException e => (400, new Problem { Code = e.Code, Detail = e.Message, Errors = e.Errors }, null),
        SandboxException e => (StatusOf(e.Code), new Problem { Code = e.Code, Detail = e.Message }, e.RetryAfter),
        BackendUnavailableException e => (503, new Problem { Code = ErrorCodes.BackendUnavailable, Detail = e.Message }, TimeSpan.FromSeconds(5)),
        BadHttpRequestException e => OfStatus(e.StatusCode),
        // The caller is there, so it is the drain's end.
        OperationCanceledException => (503, new Problem
        {
            Code = ErrorCodes.Interrupted,
            Detail = "The Manager stopped before it had an answer; what came of the request is unknown.",
        }, UntilAnotherManager),
        _ => OfStatus(500),
    };

    public static (int Status, Problem Problem, TimeSpan? RetryAfter) OfStatus(int status)
    {
        var (code, detail) = status switch
        {
            401 => (ErrorCodes.Unauthorized, "The key is missing or wrong."),
            404 => (ErrorCodes.NotFound, "There is no such route; /scalar/v1 shows those that there are."),
            405 => (ErrorCodes.MethodNotAllowed, "The route does not take this method; Allow says which it takes."),
            413 => (ErrorCodes.BodyTooLarge, $"The body is larger than the {BodyLimit.MaxBytes} bytes that are taken."),
            415 => (ErrorCodes.UnsupportedMediaType, "The body must be application/json, and say so in Content-Type."),
            >= 500 => (ErrorCodes.InternalError, "The Manager has failed; its log says more."),
            _ => (ErrorCodes.InvalidRequest, "The request is malformed."),
        };
        return (status, new Problem { Code = code, Detail = detail }, null);
    }

    private static int StatusOf(string code) => code switch
    {
        ErrorCodes.InvalidRequest => 400,
        ErrorCodes.SandboxNotFound or ErrorCodes.ExecutionNotFound => 404,
        ErrorCodes.SandboxNotReady or ErrorCodes.NotClaimed => 409,
        ErrorCodes.UnsupportedMediaType => 415,
        ErrorCodes.LimitReached => 429,
        ErrorCodes.ExecutorUnreachable or ErrorCodes.ExecutorError => 502,
        ErrorCodes.PoolExhausted => 503,
        _ => 500,
    };
}
