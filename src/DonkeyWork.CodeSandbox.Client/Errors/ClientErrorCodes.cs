namespace DonkeyWork.CodeSandbox.Client;

/// <summary>
/// The values of <see cref="CodeSandboxException.Code"/> that the client itself gives;
/// those that come over the wire are in <see cref="Contracts.ErrorCodes"/>.
/// </summary>
public static class ClientErrorCodes
{
    /// <summary>No connection could be made; nothing was sent.</summary>
    public const string Unreachable = "unreachable";

    /// <summary>No answer within <see cref="ConnectionOptions.RequestTimeout"/>.</summary>
    public const string RequestTimeout = "request_timeout";

    /// <summary>An answer that is not of this protocol: a proxy's error page, a redirect, malformed JSON.</summary>
    public const string UnexpectedResponse = "unexpected_response";

    /// <summary>An answer broke off, or a stream ended without its last event.</summary>
    public const string ResponseCut = "response_cut";

    /// <summary>Nothing came on a stream for <see cref="ConnectionOptions.StreamIdleTimeout"/>, not even a keep-alive.</summary>
    public const string StreamIdle = "stream_idle";

    /// <summary>The sandbox is gone, and what ran in it with it.</summary>
    public const string SandboxLost = "sandbox_lost";

    /// <summary>The sandbox did not become ready.</summary>
    public const string CreationFailed = "creation_failed";

    /// <summary>A command printed more than <see cref="RunOptions.MaxOutputCharacters"/>.</summary>
    public const string OutputTooLarge = "output_too_large";

    /// <summary>Output was printed that is no longer kept for this reader.</summary>
    public const string OutputTruncated = "output_truncated";
}
