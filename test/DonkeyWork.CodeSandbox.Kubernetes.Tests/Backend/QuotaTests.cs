using DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing.Backends;
using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Backend;

/// <summary>Limits that the API server itself holds.</summary>
[Collection(ControlCollection.Name)]
public sealed class QuotaTests
{
    [Fact]
    public async Task What_a_quota_has_no_room_for_is_refused_as_a_limit_that_names_it()
    {
        await using var place = await TestCluster.Node.CreateNamespaceAsync("quota");
        await place.KubectlAsync("create", "quota", "three", "--hard=pods=3");
        await using var backend = await ClusterBackend.StartAsync(place);
        var created = new List<Sandboxes.Sandbox>();
        for (var i = 0; i < 3; i++) created.Add(await backend.Backend.CreateAsync(Specs.New(), CancellationToken.None));

        var refused = await Should.ThrowAsync<SandboxLimitReachedException>(() => backend.Backend.CreateAsync(Specs.New(), CancellationToken.None));

        refused.Message.ShouldContain("three");
        refused.Message.ShouldContain(place.Name);
        backend.Limit.Limit.ShouldBe(new SandboxLimit(3, "ResourceQuota three"));
        (await place.KubectlAsync("get", "pods", "--output=name")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(3);
        await Task.WhenAll(created.Select(backend.Backend.DeleteGoneAsync));
    }

    [Fact]
    public async Task A_create_waits_until_the_quota_that_is_there_is_in_force()
    {
        // No controller counts here: the quota comes into force when the test says so.
        await using var place = await ControlCluster.Current.CreateNamespaceAsync("quota");
        await place.KubectlAsync("create", "quota", "slow", "--hard=pods=1k");
        using var log = new LogLines();
        await using var backend = await ClusterBackend.StartAsync(place, log: log);

        var create = backend.Backend.CreateAsync(Specs.New(), CancellationToken.None);
        await PutInForceAsync(place);

        await create;
        backend.Limit.Limit.ShouldBe(new SandboxLimit(1000, "ResourceQuota slow"));
        log.Text.ShouldContain("may have 1000 pods (ResourceQuota slow)");
    }

    [Fact]
    public async Task Where_no_quota_counts_pods_that_is_said_at_the_start_and_nobody_waits()
    {
        await using var place = await ControlCluster.Current.CreateNamespaceAsync("quota");
        await place.KubectlAsync("create", "quota", "memory", "--hard=limits.memory=1Ti");
        using var log = new LogLines();
        await using var backend = await ClusterBackend.StartAsync(place, log: log);

        await log.UntilAsync(line => line.Contains("No ResourceQuota counts the pods", StringComparison.Ordinal));

        backend.Limit.Limit.ShouldBeNull();
    }

    private static Task<string> PutInForceAsync(TestNamespace place) => place.Cluster.KubectlWithInputAsync(
        $$"""
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "slow", "namespace": "{{place.Name}}" },
         "status": {"hard": {"pods": "1k" }, "used": {"pods": "0" } } }
        """,
        "replace", "--raw", $"/api/v1/namespaces/{place.Name}/resourcequotas/slow/status", "-f", "-");
}
