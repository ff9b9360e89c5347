using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.WarmPool;

/// <summary>What a claim costs the API server, as it wrote it down.</summary>
public sealed class ClaimWritesTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int PoolSize = 5;
    private const int Claims = 20;

    private ControlPlane _control = null!;

    public async Task InitializeAsync() => _control = await ControlPlane.StartAsync();

    public async Task DisposeAsync() => await _control.DisposeAsync();

    [Fact]
    public async Task A_claim_is_one_write_and_no_read()
    {
        await using var manager = await KubernetesManager.StartAsync(_control.Place, settings: $"--KataContainerManager:WarmPoolSize={PoolSize}");
        await _control.Place.UntilWarmAsync(PoolSize);
        var recording = await _control.Place.Audit.BeginAsync(_control.Place.User);

        // One by one, and more at once than there are in the pool.
        for (var i = 0; i < Claims / 2; i++) await manager.AllocateNamedAsync($"user {i}");
        await Task.WhenAll(Enumerable.Range(0, Claims / 2).Select(i => manager.AllocateNamedAsync($"user {i}")));
        await _control.Place.UntilWarmAsync(PoolSize);

        var entries = await recording.EndAsync();
        var audit = new ClaimAudit(entries);
        output.WriteLine($"{Claims} claims; {audit}");
        audit.Claims.Count.ShouldBe(Claims);
        audit.ClaimsRefused.ShouldBe(0);
        audit.Reads.ShouldBeEmpty();
        audit.Refills.Count.ShouldBe(Claims, "as many as were taken");
        entries.Count(entry => entry.IsPodWrite).ShouldBe(Claims + Claims, string.Join('\n', entries.Where(entry => entry.IsPodWrite).Select(entry => entry.Call)));
    }

    [Fact]
    public async Task A_claim_with_an_id_of_its_own_is_listed_for_before_and_after_and_made_again_gives_the_same_sandbox()
    {
        await using var one = await KubernetesManager.StartAsync(_control.Place, settings: $"--KataContainerManager:WarmPoolSize={PoolSize}");
        await using var other = await KubernetesManager.StartAsync(_control.Place, settings: $"--KataContainerManager:WarmPoolSize={PoolSize}");
        await _control.Place.UntilWarmAsync(PoolSize);
        var recording = await _control.Place.Audit.BeginAsync(_control.Place.User);
        var request = new { userId = "somebody", claimId = "the one", waitSeconds = 60 };

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var manager in new[] { one, other, one })
        {
            using var response = await manager.AllocateAsync(request);
            names.Add(await response.ReadNameAsync());
        }

        names.ShouldHaveSingleItem();
        var audit = new ClaimAudit(await recording.EndAsync());
        output.WriteLine($"{audit}");
        audit.Claims.ShouldHaveSingleItem().Call.Name.ShouldBe(names.Single());
        audit.Reads.ShouldNotBeEmpty();
    }
}
