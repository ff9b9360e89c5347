namespace DonkeyWork.CodeSandbox.Server.Http;

/// <summary>A request that is answered with a problem.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="code">One of <see cref="Contracts.ErrorCodes"/>.</param>
/// <param name="detail">What happened and what to do.</param>
internal sealed class RequestException(int status, string code, string detail) : Exception(detail)
{
    public int Status => status;

    public string Code => code;

    /// <summary>What is wrong, by field.</summary>
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }

    /// <summary>Seconds after which the same request may succeed.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Of <c>stdin_gap</c>: how many bytes of standard input were taken so far.</summary>
    public long? Offset { get; init; }

    /// <summary>Of <c>bad_archive</c>: how many entries were unpacked.</summary>
    public int? Unpacked { get; init; }
}
