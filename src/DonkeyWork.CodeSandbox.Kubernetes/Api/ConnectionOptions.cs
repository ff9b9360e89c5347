namespace DonkeyWork.CodeSandbox.Kubernetes.Api;

/// <summary>
/// Where the API server is and who we are. All empty: the service account inside a cluster, else the kubeconfig of
/// <c>KUBECONFIG</c> or <c>~/.kube/config</c>.
/// </summary>
public sealed record ConnectionOptions
{
    /// <summary>The API server, for example <c>https://10.0.0.1:6443</c>. Comes first of all where it is set.</summary>
    public string? ServerUrl { get; init; }

    /// <summary>The bearer token to show to <see cref="ServerUrl"/>.</summary>
    public string? Token { get; init; }

    /// <summary>Accept any certificate of <see cref="ServerUrl"/>. Whoever is in between can then read the token.</summary>
    public bool SkipTlsVerify { get; init; }

    /// <summary>A kubeconfig file; where it is set, the service account is not looked for.</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>The context of the kubeconfig to use instead of its current one; where it is set, the service account is not looked for.</summary>
    public string? Context { get; init; }
}
