namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Requests;

/// <summary>The <c>Status</c> object that the API server refuses with.</summary>
internal sealed record StatusDocument(string? Kind, string? Message, string? Reason, int? Code, StatusDetails? Details);

internal sealed record StatusDetails(string? Name, string? Kind, int? RetryAfterSeconds, IReadOnlyList<StatusCause>? Causes);

internal sealed record StatusCause(string? Reason, string? Message, string? Field);
