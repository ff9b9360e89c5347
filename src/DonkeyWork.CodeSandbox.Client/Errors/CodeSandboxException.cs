using System.Net;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>
/// Something went wrong; <see cref="Code"/> says what, in a word that does not change.
/// Cancelling is not an error: it is an <see cref="OperationCanceledException"/>.
/// </summary>
public class CodeSandboxException : Exception
{
    private HttpStatusCode? _statusCode;
    private Problem? _problem;
    private TimeSpan? _retryAfter;

    /// <summary>An error with its code.</summary>
    /// <param name="code">One of <see cref="ErrorCodes"/> or <see cref="ClientErrorCodes"/>.</param>
    /// <param name="message">What happened and what to do.</param>
    /// <param name="innerException">What caused it.</param>
    public CodeSandboxException(string code, string message, Exception? innerException = null)
        : base(message, innerException) => Code = code;

    /// <summary>One of <see cref="ErrorCodes"/> (the server said so) or <see cref="ClientErrorCodes"/> (the client found out).</summary>
    public string Code { get; }

    /// <summary>The HTTP status, where there was an answer.</summary>
    public HttpStatusCode? StatusCode
    {
        get => _statusCode;
        init => _statusCode = value;
    }

    /// <summary>The problem as it came, where one came.</summary>
    public Problem? Problem
    {
        get => _problem;
        init => _problem = value;
    }

    /// <summary>When trying again makes sense, where the server said so.</summary>
    public TimeSpan? RetryAfter
    {
        get => _retryAfter;
        init => _retryAfter = value;
    }

    internal CodeSandboxException AnsweredBy(HttpStatusCode status, Problem? problem, TimeSpan? retryAfter)
    {
        (_statusCode, _problem, _retryAfter) = (status, problem, retryAfter);
        return this;
    }
}
