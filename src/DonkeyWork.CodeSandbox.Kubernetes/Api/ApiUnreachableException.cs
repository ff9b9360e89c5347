namespace DonkeyWork.CodeSandbox.Kubernetes.Api;

/// <summary>No answer: the API server could not be connected to, the connection broke, or the answer did not come in time.</summary>
public sealed class ApiUnreachableException(string message, bool mayHaveBeenSent, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether the API server may have done what it was asked for.</summary>
    public bool MayHaveBeenSent { get; } = mayHaveBeenSent;
}
