using DonkeyWork.CodeSandbox.Testing.StandIns;

namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>A namespace of the cluster that is an API server alone, with a stand-in for its node that starts real executors.</summary>
public sealed class ExecutorPlane : IAsyncDisposable
{
    private readonly TestKubelet _kubelet;

    private ExecutorPlane(SandboxNamespace place)
    {
        Place = place;
        _kubelet = new TestKubelet(place, Executors);
    }

    public SandboxNamespace Place { get; }

    public ExecutorProcesses Executors { get; } = new();

    public static async Task<ExecutorPlane> StartAsync() => new(await SandboxNamespace.CreateAsync(ControlCluster.Current));

    public async ValueTask DisposeAsync()
    {
        // From the last to the first, each whatever comes of the others.
        await using (Place)
        await using (Executors)
        await using (_kubelet)
        {
        }
    }
}
