using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Requests;

/// <summary>What went wrong, as one of our exceptions.</summary>
internal static class ApiFailures
{
    private const int MostShown = 500;

    /// <summary>A refusal. Not only the API server answers: a proxy before it has no <c>Status</c>.</summary>
    public static ApiException Refusal(HttpResponseMessage response, ReadOnlySpan<byte> body)
    {
        var code = (int)response.StatusCode;
        var retryAfter = response.Headers.RetryAfter?.Delta;
        try
        {
            var status = body.IsEmpty ? null : JsonSerializer.Deserialize(body, WireJsonContext.Default.StatusDocument);
            if (status?.Kind == "Status") return Refusal(status, code, retryAfter);
        }
        catch (JsonException) when (body.Length > 0)
        {
            // Text then, which is shown as it is.
        }

        var text = Encoding.UTF8.GetString(body[..Math.Min(body.Length, MostShown)]).Trim();
        return new ApiException(code, $"{code} {response.ReasonPhrase}: {text}".TrimEnd(' ', ':')) { RetryAfter = retryAfter };
    }

    /// <summary>A refusal that came in the middle of a watch.</summary>
    public static ApiException Refusal(StatusDocument status, int code, TimeSpan? retryAfter = null) => new(code, status.Message ?? status.Reason ?? $"{code}")
    {
        Reason = status.Reason,
        ObjectKind = status.Details?.Kind,
        ObjectName = status.Details?.Name,
        RetryAfter = retryAfter ?? (status.Details?.RetryAfterSeconds is > 0 and var seconds ? TimeSpan.FromSeconds(seconds) : null),
        HasCauses = status.Details?.Causes is { Count: > 0 },
    };

    /// <summary>Whether this is how HTTP says that there is no (whole) answer.</summary>
    public static bool IsNoAnswer(Exception failure) => failure is HttpRequestException or IOException or OperationCanceledException;

    /// <param name="failure">One of <see cref="IsNoAnswer"/>.</param>
    /// <param name="outOfTime">The request's own time is over.</param>
    public static ApiUnreachableException NoAnswer(Exception failure, bool outOfTime)
    {
        if (outOfTime) return new ApiUnreachableException("The API server did not answer in time.", mayHaveBeenSent: true, failure);
        // Cancelled by nobody: the handler's own limit for making a connection.
        if (failure is OperationCanceledException) return new ApiUnreachableException("The API server cannot be reached: connecting took too long.", mayHaveBeenSent: false, failure);
        var connected = (failure as HttpRequestException)?.HttpRequestError is not (
            HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.UserAuthenticationError);
        return new ApiUnreachableException($"The API server cannot be reached: {Words(failure)}", mayHaveBeenSent: connected, failure);
    }

    // TLS hides the reason in the inner exception.
    private static string Words(Exception failure) =>
        failure.InnerException is { } inner && failure is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } ? inner.Message : failure.Message;
}
