namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Tokens;

/// <summary>
/// A program of the kubeconfig that gets us a token
/// (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins).
/// </summary>
internal sealed record ExecPlugin
{
    /// <summary><c>client.authentication.k8s.io/v1</c> or <c>v1beta1</c>.</summary>
    public required string ApiVersion { get; init; }

    /// <summary>A path, or a name to look for in <c>PATH</c>.</summary>
    public required string Command { get; init; }

    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Added to our own environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>What to tell somebody who does not have the program.</summary>
    public string? InstallHint { get; init; }

    /// <summary>The cluster, for a program that wants to know it.</summary>
    public ExecClusterInfo? Cluster { get; init; }
}
