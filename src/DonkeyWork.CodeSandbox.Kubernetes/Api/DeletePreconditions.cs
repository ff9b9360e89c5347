namespace DonkeyWork.CodeSandbox.Kubernetes.Api;

/// <summary>What must be true of an object that is to be deleted; what is not given is not asked.</summary>
public sealed record DeletePreconditions
{
    /// <summary>It is this very object.</summary>
    public string? Uid { get; init; }

    /// <summary>It has not changed since.</summary>
    public string? ResourceVersion { get; init; }

    /// <summary>How long its processes may take to end; 0 removes the object at once. The object's own where it is not given.</summary>
    public int? GracePeriodSeconds { get; init; }
}
