using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;

/// <summary>What a watch tells.</summary>
public abstract record ApiObservation<T> where T : class, IApiObject;

/// <summary>All there is. What is not in it is gone.</summary>
public sealed record ApiListed<T>(IReadOnlyList<T> Items) : ApiObservation<T> where T : class, IApiObject;

/// <summary>An object is new or has changed.</summary>
public sealed record ApiChanged<T>(T Item) : ApiObservation<T> where T : class, IApiObject;

/// <summary>An object is gone, or the selector does not match it any more; this was its last state.</summary>
public sealed record ApiGone<T>(T Item) : ApiObservation<T> where T : class, IApiObject;

/// <summary>
/// The API server cannot be reached, or refuses; the view is as old as <paramref name="Since"/>. Told once, and always
/// ended by an <see cref="ApiListed{T}"/>.
/// </summary>
/// <param name="Since">When the view was last right.</param>
/// <param name="Failure">An <see cref="ApiException"/>, an <see cref="ApiUnreachableException"/>, or what else broke the watch.</param>
public sealed record ApiLost<T>(DateTimeOffset Since, Exception Failure) : ApiObservation<T> where T : class, IApiObject
{
    /// <summary>What happened, in the words of who noticed.</summary>
    public string Reason => Failure.Message;
}
