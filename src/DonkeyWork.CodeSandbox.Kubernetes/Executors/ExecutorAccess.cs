namespace DonkeyWork.CodeSandbox.Kubernetes.Executors;

/// <summary>How executors are reached on a cluster.</summary>
public enum ExecutorAccess
{
    /// <summary>By pod IP from within the cluster, else through the API server.</summary>
    Auto,

    /// <summary>By pod IP: the Manager must have a route to the pods' network.</summary>
    PodIp,

    /// <summary>
    /// Through the API server's pod proxy. Needs the right to <c>pods/proxy</c>, which opens every port of every pod of the
    /// namespace to the Manager.
    /// </summary>
    ApiServerProxy,
}
