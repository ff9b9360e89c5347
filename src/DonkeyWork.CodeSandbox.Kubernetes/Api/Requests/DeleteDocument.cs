namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Requests;

/// <summary>The <c>DeleteOptions</c> of a request to delete.</summary>
internal sealed record DeleteDocument
{
    public string ApiVersion { get; } = "v1";

    public string Kind { get; } = "DeleteOptions";

    public int? GracePeriodSeconds { get; init; }

    public DeleteConditions? Preconditions { get; init; }

    public static DeleteDocument Of(DeletePreconditions wanted) => new()
    {
        GracePeriodSeconds = wanted.GracePeriodSeconds,
        Preconditions = wanted is { Uid: null, ResourceVersion: null } ? null : new DeleteConditions(wanted.Uid, wanted.ResourceVersion),
    };
}

internal sealed record DeleteConditions(string? Uid, string? ResourceVersion);
