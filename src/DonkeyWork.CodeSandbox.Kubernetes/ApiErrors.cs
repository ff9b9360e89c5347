using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Kubernetes;

/// <summary>What the API server refuses, in words that say what is missing and what to do.</summary>
internal sealed class ApiErrors(ClusterConnection cluster, KubernetesOptions options)
{
    private const string Section = "KataContainerManager";

    /// <summary>Whether nobody knows if the request was carried out: no answer, or one of a server that had its own troubles.</summary>
    public static bool IsUncertain(Exception e) => e is ApiUnreachableException { MayHaveBeenSent: true } or ApiException { StatusCode: >= 500 };

    /// <summary>Whether <see cref="Of"/> has words for it.</summary>
    public static bool IsOne(Exception e) => e is ApiException or ApiUnreachableException;

    /// <summary>The same as the seam tells it.</summary>
    public BackendUnavailableException Of(Exception e, bool mayHaveHappened = false) =>
        new(e is ApiException refusal ? WordsOf(refusal) : $"The API server {cluster.Server} does not answer: {e.Message}", e) { MayHaveHappened = mayHaveHappened };

    private string WordsOf(ApiException e)
    {
        if (e.StatusCode == 401)
            return $"The API server {cluster.Server} does not accept the Manager's credentials ({cluster.Source}): {e.Message}";
        if (e is { IsNotFound: true, ObjectKind: "namespaces" })
            return $"There is no namespace {options.TargetNamespace}: kubectl apply -f k8s/namespace.yaml, or set {Section}:{nameof(options.TargetNamespace)}.";
        // https://kubernetes.io/docs/concepts/containers/runtime-class/: its admission refuses the pod with these words.
        if (e.StatusCode == 403 && e.Message.Contains("RuntimeClass", StringComparison.Ordinal) && e.Message.Contains("not found", StringComparison.Ordinal))
            return $"There is no RuntimeClass {options.RuntimeClassName}: install its runtime and kubectl apply -f k8s/runtimeclass.yaml, or set {Section}:{nameof(options.RuntimeClassName)}.";
        // The authorizer's words; admission's, on what it does not like about a pod, say no user.
        if (e.IsForbidden && e.Message.Contains(" cannot ", StringComparison.Ordinal))
            return $"The API server does not let the Manager do this ({e.Message}): apply k8s/role.yaml and k8s/rolebinding.yaml.";
        return e.StatusCode is 403 or 422
            ? $"The API server refuses the pod: {e.Message}"
            : $"The API server {cluster.Server} answered {e.StatusCode}: {e.Message}";
    }
}
