namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Requests;

/// <summary>Which requests are sent again, and when.</summary>
/// <param name="mostAttempts">How often one is sent at most.</param>
internal sealed class RetryPolicy(int mostAttempts)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);

    /// <summary>Of single requests.</summary>
    public static RetryPolicy Default { get; } = new(mostAttempts: 4);

    /// <summary>For a caller who tries again himself.</summary>
    public static RetryPolicy None { get; } = new(mostAttempts: 1);

    /// <summary>How long to wait before the next attempt; <see langword="null"/> where there must be none.</summary>
    public TimeSpan? PauseBefore(ApiRequest request, Exception failure, int attempt)
    {
        if (attempt >= mostAttempts || !MayRepeat(request, failure)) return null;
        return (failure as ApiException)?.RetryAfter ?? Jittered(First * (1 << (attempt - 1)));
    }

    /// <summary>Between half of it and all of it, so that those who failed together do not come back together.</summary>
    public static TimeSpan Jittered(TimeSpan pause) => pause * (0.5 + (Random.Shared.NextDouble() / 2));

    // A write is repeated only where it is certain that nothing was done.
    private static bool MayRepeat(ApiRequest request, Exception failure) => failure switch
    {
        ApiException { IsThrottled: true } => true,
        ApiException { StatusCode: 500 or 502 or 503 or 504 } => request.IsSafe,
        // Many creates at once have met on the quota, not on the object.
        ApiException { IsConflict: true, ObjectKind: "resourcequotas" } => true,
        ApiUnreachableException unreachable => request.IsSafe || !unreachable.MayHaveBeenSent,
        _ => false,
    };
}
