namespace DonkeyWork.CodeSandbox.Kubernetes.Api;

/// <summary>It cannot be told where the API server is or who we are; the message says what to do.</summary>
public sealed class ClusterConfigurationException(string message, Exception? inner = null) : Exception(message, inner);
