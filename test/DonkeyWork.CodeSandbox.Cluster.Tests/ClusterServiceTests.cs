namespace DonkeyWork.CodeSandbox.Cluster.Tests;

// What holds on every backend, with real pods.

[Collection(ClusterServiceCollection.Name)]
public sealed class ClusterResumeTests(ClusterService service) : ResumeContract(service);

[Collection(ClusterServiceCollection.Name)]
public sealed class ClusterTransferTests(ClusterService service) : TransferContract(service)
{
    protected override long Bytes => 1L << 30;
}

[Collection(ClusterServiceCollection.Name)]
public sealed class ClusterBytesTests(ClusterService service) : BytesContract(service);

[Collection(ClusterServiceCollection.Name)]
public sealed class ClusterKillTests(ClusterService service) : KillContract(service);

[Collection(ClusterServiceCollection.Name)]
public sealed class ClusterTerminalTests(ClusterService service) : TerminalContract(service);

[Collection(ClusterServiceCollection.Name)]
public sealed class ClusterHostilePathTests(ClusterService service) : HostilePathContract(service);

[Collection(ClusterServiceCollection.Name)]
public sealed class ClusterExecuteTests(ClusterService service) : ExecuteContract(service);

// What the API server's pod proxy might change.

[Collection(ProxyServiceCollection.Name)]
public sealed class ProxyTransferTests(ProxyService service) : TransferContract(service)
{
    protected override long Bytes => 100L << 20;

    // The API server has buffers of its own, of megabytes: what is in them when a connection is cut was sent.
    protected override long? Keep => 64L << 20;
}

[Collection(ProxyServiceCollection.Name)]
public sealed class ProxyBytesTests(ProxyService service) : BytesContract(service);

[Collection(ProxyServiceCollection.Name)]
public sealed class ProxyTerminalTests(ProxyService service) : TerminalContract(service);

[Collection(ProxyServiceCollection.Name)]
public sealed class ProxyHostilePathTests(ProxyService service) : HostilePathContract(service);
