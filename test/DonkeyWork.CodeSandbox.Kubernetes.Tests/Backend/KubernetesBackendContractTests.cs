using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Backend;

/// <summary>The contract, with real pods.</summary>
public sealed class KubernetesBackendContractTests(NodeCluster cluster) : SandboxBackendContract, IClassFixture<NodeCluster>
{
    protected override ISandboxBackend Backend => cluster.Backend;
}
