namespace DonkeyWork.CodeSandbox.Kubernetes.Api;

/// <summary>
/// The API server's refusal, as its <c>Status</c> object tells it
/// (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/). The message is the server's.
/// </summary>
public class ApiException : Exception
{
    internal ApiException(int statusCode, string message) : base(message) => StatusCode = statusCode;

    /// <summary>The HTTP status.</summary>
    public int StatusCode { get; }

    /// <summary>The machine's word for it (<c>NotFound</c>, <c>Conflict</c>, ...); <see langword="null"/> where a proxy answered.</summary>
    public string? Reason { get; internal init; }

    /// <summary>The plural kind that the refusal is about (<c>pods</c>, <c>namespaces</c>), where the server says.</summary>
    public string? ObjectKind { get; internal init; }

    /// <summary>The name of the object that the refusal is about, where the server says.</summary>
    public string? ObjectName { get; internal init; }

    /// <summary>When to come again, where the server says.</summary>
    public TimeSpan? RetryAfter { get; internal init; }

    /// <summary>There is no such object (<see cref="ObjectKind"/> tells a missing namespace from a missing pod).</summary>
    public bool IsNotFound => StatusCode == 404 && Reason == "NotFound";

    /// <summary>There is an object of that name.</summary>
    public bool IsAlreadyExists => StatusCode == 409 && Reason == "AlreadyExists";

    /// <summary>The object has changed, or is not the one that was meant.</summary>
    public bool IsConflict => StatusCode == 409 && Reason == "Conflict";

    /// <summary>
    /// The patch does not fit the object as it is: a <c>test</c> failed, or what it removes or replaces is not there. A
    /// patch whose result is not a valid object is refused as <c>Invalid</c> too, but that names the object.
    /// </summary>
    public bool IsPatchTestFailed => StatusCode == 422 && ObjectKind is null && !HasCauses;

    /// <summary>We may not do that, and not for the sake of a quota.</summary>
    public bool IsForbidden => StatusCode == 403 && !IsQuotaExceeded;

    /// <summary>A resource quota has no room.</summary>
    public bool IsQuotaExceeded => StatusCode == 403 && Message.Contains("exceeded quota", StringComparison.Ordinal);

    /// <summary>That resource version or page is too old to go on from.</summary>
    public bool IsGone => StatusCode == 410;

    /// <summary>The server has too much to do, and has not looked at the request.</summary>
    public bool IsThrottled => StatusCode == 429;

    internal bool HasCauses { get; init; }
}
