using System.Text.Json.Serialization;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Tokens;

/// <summary>What a plug-in is given in <c>KUBERNETES_EXEC_INFO</c>, and what it answers: both are an <c>ExecCredential</c>.</summary>
internal sealed record ExecCredential
{
    public required string ApiVersion { get; init; }

    public required string Kind { get; init; }

    public ExecSpec? Spec { get; init; }

    public ExecStatus? Status { get; init; }
}

internal sealed record ExecSpec(bool Interactive, ExecClusterInfo? Cluster);

internal sealed record ExecClusterInfo(
    string Server,
    [property: JsonPropertyName("certificate-authority-data")] string? CertificateAuthorityData,
    [property: JsonPropertyName("insecure-skip-tls-verify")] bool InsecureSkipTlsVerify,
    [property: JsonPropertyName("tls-server-name")] string? TlsServerName);

internal sealed record ExecStatus(string? Token, DateTimeOffset? ExpirationTimestamp, string? ClientCertificateData);
