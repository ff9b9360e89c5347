using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;

/// <summary>A lease goes through the real API server and comes back as it was.</summary>
[Collection(ControlCollection.Name)]
public sealed class LeaseTests(ControlNamespace control) : IClassFixture<ControlNamespace>
{
    private static readonly DateTimeOffset Time = new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero).AddTicks(67890);

    [Fact]
    public async Task A_lease_is_created_taken_over_and_watched()
    {
        var leases = control.Client.Leases;
        await using var watch = new WatchProbe<Lease>(leases);
        (await watch.UntilAsync<ApiListed<Lease>>()).Items.ShouldBeEmpty();
        var manifest = new LeaseManifest
        {
            Metadata = new ManifestMetadata { Name = "leader", Labels = new Dictionary<string, string> { ["app"] = "test" } },
            Spec = new LeaseSpec { HolderIdentity = "a", LeaseDurationSeconds = 15, AcquireTime = Time, RenewTime = Time, LeaseTransitions = 1 },
        };

        var created = await leases.CreateAsync(manifest, KubernetesJsonContext.Default.LeaseManifest, default);
        created.Spec.ShouldBe(manifest.Spec);
        (await control.Namespace.KubectlAsync("get", "lease", "leader", "-o", "jsonpath={.spec.holderIdentity} {.spec.renewTime}")).ShouldBe("a 2030-01-02T03:04:05.006789Z");

        var taken = await leases.PatchAsync(
            "leader",
            new JsonPatch().Test("/metadata/resourceVersion", created.ResourceVersion).Test("/spec/leaseTransitions", 1)
                .Replace("/spec/holderIdentity", "b").Replace("/spec/leaseTransitions", 2).Replace("/spec/renewTime", MicroTime.Format(Time.AddSeconds(9))),
            default);
        taken.Spec.ShouldBe(manifest.Spec with { HolderIdentity = "b", LeaseTransitions = 2, RenewTime = Time.AddSeconds(9) });
        (await leases.GetAsync("leader", default)).ShouldBe(taken);
        (await leases.ListAsync("app=test", default)).ShouldHaveSingleItem().ShouldBe(taken);

        (await watch.UntilAsync<ApiChanged<Lease>>()).Item.ShouldBe(created);
        (await watch.UntilAsync<ApiChanged<Lease>>()).Item.ShouldBe(taken);
        (await Should.ThrowAsync<ApiException>(leases.PatchAsync(
            "leader", new JsonPatch().Test("/metadata/resourceVersion", created.ResourceVersion).Replace("/spec/holderIdentity", "c"), default))).IsPatchTestFailed.ShouldBeTrue();
    }
}
