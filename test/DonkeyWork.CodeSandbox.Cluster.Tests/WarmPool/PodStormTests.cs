using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.WarmPool;

/// <summary>200 claims of 50 callers from three Managers, while a pool of real pods refills.</summary>
[Collection(Name)]
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class PodStormTests(ITestOutputHelper output) : IAsyncLifetime
{
    /// <summary>Alone: it restarts the API server that others wait at.</summary>
    public const string Name = "the storm over pods";

    private const int Claims = 200;
    private const int Callers = 50;

    private SandboxNamespace _place = null!;
    private ManagerFleet _fleet = null!;

    public async Task InitializeAsync()
    {
        _place = await SandboxNamespace.CreateAsync(TestCluster.Node);
        _fleet = await ManagerFleet.StartAsync(3, _place, settings: Storms.Settings);
    }

    public async Task DisposeAsync()
    {
        // From the last to the first, each whatever comes of the others.
        await using (_place)
        await using (_fleet)
        {
        }
    }

    [Fact]
    public async Task No_pod_is_anybody_elses()
    {
        await _place.UntilWarmAsync(Storms.PoolSize);

        await Storms.RunAsync(output, _place, _fleet, Claims, Callers);
    }

    [Fact]
    public async Task Nor_when_Managers_and_the_API_server_are_killed_in_the_middle()
    {
        await _place.UntilWarmAsync(Storms.PoolSize);

        await Storms.RunAsync(output, _place, _fleet, Claims, Callers, faultsFrom: Claims / 10);
    }
}
