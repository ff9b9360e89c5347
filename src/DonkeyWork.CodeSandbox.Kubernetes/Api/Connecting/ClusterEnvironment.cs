namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting;

/// <summary>What this process can see of where it runs.</summary>
internal sealed record ClusterEnvironment
{
    public static ClusterEnvironment Current { get; } = new();

    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>Where the kubelet puts a service account's files.</summary>
    public string ServiceAccountDirectory { get; init; } = "/var/run/secrets/kubernetes.io/serviceaccount";

    public string HomeDirectory { get; init; } = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    /// <summary>A variable's text; <see langword="null"/> where it is empty.</summary>
    public string? Text(string name) => Variable(name) is { Length: > 0 } value ? value : null;
}
