using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;
using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;

/// <summary>The API server dies in the middle of a watch.</summary>
[Collection(ControlCollection.Name)]
public sealed class RestartTests(ControlNamespace control) : IClassFixture<ControlNamespace>
{
    [Fact]
    public async Task A_killed_server_is_told_once_and_nothing_is_missed_when_it_is_back()
    {
        await CreateAsync("doomed");
        await CreateAsync("stays");
        await using var watch = new WatchProbe<PodView>(control.Client.Pods, "app=test");
        await watch.UntilAsync<ApiListed<PodView>>();
        await CreateAsync("last");
        await ControlCluster.KillApiServerAsync();
        try
        {
            await watch.UntilAsync<ApiLost<PodView>>();
            watch.View.Keys.ShouldBe(["doomed", "stays", "last"], ignoreOrder: true);
            var unreachable = await Should.ThrowAsync<ApiUnreachableException>(CreateAsync("nowhere"));
            unreachable.MayHaveBeenSent.ShouldBeFalse();
        }
        finally
        {
            await ControlCluster.StartApiServerAsync();
        }

        // At once, by somebody else, maybe before the watch is back.
        await control.Namespace.KubectlAsync("delete", "pod", "doomed", "--wait=false");
        await CreateAsync("new");
        await watch.UntilAsync(view => view.Count == 3 && view.ContainsKey("new") && view.ContainsKey("stays") && view.ContainsKey("last"));
        watch.Seen.OfType<ApiLost<PodView>>().Count().ShouldBe(1);
        watch.Seen.SkipWhile(told => told is not ApiLost<PodView>).ElementAt(1).ShouldBeOfType<ApiListed<PodView>>();
        foreach (var (name, pod) in watch.View)
            (await control.Namespace.KubectlAsync("get", "pod", name, "-o", "jsonpath={.metadata.resourceVersion}")).ShouldBe(pod.ResourceVersion);
    }

    [Fact]
    public async Task A_resource_version_that_is_too_old_means_all_anew()
    {
        // A server that starts remembers no changes.
        await ControlCluster.KillApiServerAsync();
        await ControlCluster.StartApiServerAsync();
        await using var relay = await ApiRelay.StartAsync(control.Server);
        relay.Rewrite = path => relay.Requests.Count(WatchTests.IsWatch) == 1 ? WatchTests.Changed(path, "resourceVersion", "1") : path;
        using var client = control.Through(relay);
        await CreateAsync("survivor", "old");
        await using var watch = new WatchProbe<PodView>(client.Client.Pods, "app=old");
        await watch.UntilAsync<ApiListed<PodView>>();
        (await watch.NextAsync()).ShouldBeOfType<ApiListed<PodView>>().Items.ShouldHaveSingleItem().Name.ShouldBe("survivor");

        await CreateAsync("later", "old");
        (await watch.NextAsync()).ShouldBeOfType<ApiChanged<PodView>>().Item.Name.ShouldBe("later");
        relay.Requests.Count(WatchTests.IsWatch).ShouldBe(2);
    }

    private Task<PodView> CreateAsync(string name, string app = "test") => control.Client.Pods.CreateAsync(Manifests.Pod(name, app), Manifests.Type, default);
}
