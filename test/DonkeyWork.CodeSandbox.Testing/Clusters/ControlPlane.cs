using System.Net;
using DonkeyWork.CodeSandbox.Testing.StandIns;

namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>A namespace of the cluster that is an API server alone, with stand-ins for its node and its executors.</summary>
public sealed class ControlPlane : IAsyncDisposable
{
    private ControlPlane(SandboxNamespace place, StubExecutor executor, TestKubelet kubelet) => (Place, Executor, Kubelet) = (place, executor, kubelet);

    public SandboxNamespace Place { get; }

    public StubExecutor Executor { get; }

    public TestKubelet Kubelet { get; }

    /// <summary>This machine as the API server sees it: the last address of its network of 256.</summary>
    public static string HostOf(Uri server)
    {
        var address = IPAddress.Parse(server.Host).GetAddressBytes();
        address[3] = 254;
        return $"{new IPAddress(address)}";
    }

    public static async Task<ControlPlane> StartAsync()
    {
        var place = await SandboxNamespace.CreateAsync(ControlCluster.Current);
        var host = HostOf(place.Api.Url);
        return new ControlPlane(place, await StubExecutor.StartAsync(host), new TestKubelet(place, new SharedAddress(host)));
    }

    public async ValueTask DisposeAsync()
    {
        // From the last to the first, each whatever comes of the others.
        await using (Place)
        await using (Kubelet)
        await using (Executor)
        {
        }
    }
}
