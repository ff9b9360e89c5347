using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.WarmPool;

/// <summary>
/// 2,000 claims of 50 callers from three Managers, while the pool refills: on an API server without a node, with a real
/// executor behind every pod.
/// </summary>
public sealed class ControlStormTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Claims = 2000;
    private const int Callers = 50;

    private ExecutorPlane _plane = null!;
    private ManagerFleet _fleet = null!;

    public async Task InitializeAsync()
    {
        _plane = await ExecutorPlane.StartAsync();
        _fleet = await ManagerFleet.StartAsync(3, _plane.Place, settings: Storms.Settings);
    }

    public async Task DisposeAsync()
    {
        // From the last to the first, each whatever comes of the others.
        await using (_plane)
        await using (_fleet)
        {
        }
    }

    [Fact]
    public async Task No_sandbox_is_anybody_elses()
    {
        await _fleet.UntilOnlyThePoolIsThereAsync(_plane.Place, Storms.PoolSize);

        await Storms.RunAsync(output, _plane.Place, _fleet, Claims, Callers);
    }

    [Fact]
    public async Task Nor_when_Managers_and_the_API_server_are_killed_in_the_middle()
    {
        await _fleet.UntilOnlyThePoolIsThereAsync(_plane.Place, Storms.PoolSize);

        await Storms.RunAsync(output, _plane.Place, _fleet, Claims, Callers, faultsFrom: Claims / 10);

        output.WriteLine($"at most {_plane.Executors.Most} executors at once");
    }
}
