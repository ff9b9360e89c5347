using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;
using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;

/// <summary>What is read of a pod, compared with what the API server was told of it, and what reading costs.</summary>
[Collection(ControlCollection.Name)]
public sealed class PodViewTests(ControlNamespace control, ITestOutputHelper output) : IClassFixture<ControlNamespace>
{
    private const string Status = """
        {
          "phase": "Failed", "reason": "Evicted", "message": "The node \"n1\" was low on resource: \u00e9phemeral-storage.", "podIP": "10.244.0.7", "podIPs": [{"ip": "10.244.0.7"}],
          "conditions": [
            {"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": "2030-01-01T00:00:00Z"},
            {"type": "Ready", "status": "False", "reason": "ContainersNotReady", "message": "containers with unready status: [sandbox]", "lastTransitionTime": "2030-01-01T00:00:00Z"}
          ],
          "containerStatuses": [
            {"name": "another", "image": "x", "imageID": "", "ready": false, "restartCount": 0, "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no"} } },
            {"name": "executor", "image": "x", "imageID": "", "ready": false, "restartCount": 0, "lastState": {"running": {"startedAt": "2030-01-01T00:00:00Z"} },
             "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "message": "too much", "startedAt": null, "finishedAt": null} } }
          ]
        }
        """;

    [Fact]
    public async Task A_view_shows_what_the_server_has()
    {
        var pod = await CreateAsync("whole", Status);
        pod.ShouldSatisfyAllConditions(
            () => pod.Name.ShouldBe("whole"),
            () => pod.Labels.ShouldBe(new Dictionary<string, string> { ["app"] = "test" }),
            () => pod.Annotations.ShouldBe(new Dictionary<string, string> { ["nonce"] = "n-whole" }),
            () => pod.RuntimeClassName.ShouldBe("kata-qemu"),
            () => pod.Image.ShouldBe("registry.invalid/sandbox:1"),
            () => pod.NodeName.ShouldBe("n1"),
            () => pod.DeletionTimestamp.ShouldBeNull(),
            () => pod.Resources.ShouldBe(new() { Requests = new() { MemoryMi = 128, CpuMillicores = 250 }, Limits = new() { MemoryMi = 1024, CpuMillicores = 1000 } }),
            () => pod.Phase.ShouldBe("Failed"),
            () => pod.Reason.ShouldBe("Evicted"),
            () => pod.Message.ShouldBe("The node \"n1\" was low on resource: éphemeral-storage."),
            () => pod.PodIP.ShouldBe("10.244.0.7"),
            () => pod.Conditions.ShouldBe([new("PodScheduled", "True", null, null), new("Ready", "False", "ContainersNotReady", "containers with unready status: [sandbox]")]),
            () => pod.Container.ShouldBe(new ContainerState { TerminatedReason = "OOMKilled", TerminatedMessage = "too much", ExitCode = 137 }));
        var witness = await control.Namespace.KubectlAsync("get", "pod", "whole", "-o", "jsonpath={.metadata.uid} {.metadata.resourceVersion} {.metadata.creationTimestamp}");
        witness.ShouldBe($"{pod.Uid} {pod.ResourceVersion} {pod.CreationTimestamp:yyyy-MM-ddTHH:mm:ssZ}");
    }

    [Fact]
    public async Task A_pod_that_ends_says_when()
    {
        await CreateAsync("ending", """{"phase": "Running"}""");
        // Its node would let go of it, and there is none.
        await control.Namespace.KubectlAsync("delete", "pod", "ending", "--wait=false");
        var ending = await control.Client.Pods.GetAsync("ending", default);
        (await control.Namespace.KubectlAsync("get", "pod", "ending", "-o", "jsonpath={.metadata.deletionTimestamp}")).ShouldBe($"{ending.DeletionTimestamp:yyyy-MM-ddTHH:mm:ssZ}");
        ending.DeletionTimestamp.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("""{"running": {"startedAt": null} }""", true, null, null)]
    [InlineData("""{"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"} }""", false, "ImagePullBackOff", "Back-off pulling image")]
    [InlineData("""{"waiting": {} }""", false, null, null)]
    public async Task A_container_runs_or_waits(string state, bool runs, string? reason, string? message)
    {
        var pod = await CreateAsync(
            $"state-{Guid.NewGuid():N}", $$"""{"phase": "Pending", "containerStatuses": [{"name": "executor", "image": "x", "imageID": "", "ready": false, "restartCount": 0, "state": {{state}} }] }""");
        pod.Container.ShouldBe(new ContainerState { IsRunning = runs, WaitingReason = reason, WaitingMessage = message });
    }

    [Fact]
    public void An_event_can_have_its_parts_in_any_order_and_lack_what_it_likes()
    {
        var last = Read("""{"object":{"status":null,"spec":{"containers":null},"metadata":{"labels":null,"name":"x","annotations":{"codesandbox.donkeywork.dev/a\/b":"1"},"deletionTimestamp":null}},"type":"DELETED"}""");
        last.Kind.ShouldBe(WatchEventKind.Deleted);
        last.Item!.ShouldSatisfyAllConditions(pod => pod.Name.ShouldBe("x"), pod => pod.Labels.ShouldBeEmpty(), pod => pod.Phase.ShouldBe("Pending"), pod => pod.Resources.ShouldBeNull(), pod => pod.Container.ShouldBeNull());
        Read("""{"type":"SOMETHING","object":{"metadata":{"name":"x"}}}""").Item.ShouldBeNull();
        var refused = Read("""{"type":"ERROR","object":{"kind":"Status","message":"too old resource version: 1 (2)","reason":"Expired","code":410}}""");
        refused.Error!.IsGone.ShouldBeTrue();

        static WatchEvent<PodView> Read(string line) => WatchEvent<PodView>.Read(Encoding.UTF8.GetBytes(line), new PodReader().Read);
    }

    [Theory]
    [InlineData("512Mi", 512, 536870912000L)]
    [InlineData("1Gi", 1024, 1073741824000L)]
    [InlineData("1", 1, 1000L)]
    [InlineData("100M", 96, 100000000000L)]
    [InlineData("250m", 1, 250L)]
    [InlineData("1.5", 1, 1500L)]
    [InlineData("1e3", 1, 1000000L)]
    [InlineData("many", null, null)]
    public void Quantities_are_read_as_the_API_writes_them(string text, int? mebibytes, long? thousandths)
    {
        Quantity.ToMebibytes(text).ShouldBe(mebibytes);
        (Quantity.Parse(text) * 1000).ShouldBe(thousandths);
    }

    [Fact]
    public async Task Reading_an_event_allocates_less_than_4_KiB_and_shares_what_pods_have_in_common()
    {
        await CreateAsync("cheap", Status);
        var json = await control.Namespace.KubectlAsync("get", "--raw", $"/api/v1/namespaces/{control.Namespace.Name}/pods/cheap");
        json.ShouldContain("managedFields");
        var line = Encoding.UTF8.GetBytes($$"""{"type":"MODIFIED","object":{{json}}}""");
        ReadObject<PodView> read = new PodReader().Read;
        var first = WatchEvent<PodView>.Read(line, read).Item!;
        const int Events = 1000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Events; i++) _ = WatchEvent<PodView>.Read(line, read);
        var perEvent = (GC.GetAllocatedBytesForCurrentThread() - before) / Events;
        output.WriteLine($"{perEvent} bytes allocated for an event of {line.Length} bytes");
        perEvent.ShouldBeLessThan(4096);
        perEvent.ShouldBeGreaterThan(0);

        var second = WatchEvent<PodView>.Read(line, read).Item!;
        second.Image.ShouldBeSameAs(first.Image);
        second.NodeName.ShouldBeSameAs(first.NodeName);
        second.Labels["app"].ShouldBeSameAs(first.Labels["app"]);
        second.Phase.ShouldBeSameAs(first.Phase);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"kind":"Status","metadata":{}}""")]
    [InlineData("[]")]
    public void What_is_not_a_list_is_not_an_empty_one(string body) =>
        Should.Throw<JsonException>(() => ListPage<PodView>.Read(Encoding.UTF8.GetBytes(body), new PodReader().Read));

    [Fact]
    public async Task A_pod_of_a_megabyte_comes_through_a_watch_whole()
    {
        await using var watch = new WatchProbe<PodView>(control.Client.Pods, "app=large");
        await watch.UntilAsync<ApiListed<PodView>>();
        var manifest = Manifests.Pod("large", "large");
        manifest["spec"]!["containers"]![0]!["env"] = new JsonArray(new JsonObject { ["name"] = "LARGE", ["value"] = new string('x', 1024 * 1024) });
        await control.Client.Pods.CreateAsync(manifest, Manifests.Type, default);
        await control.Client.Pods.PatchAsync("large", new JsonPatch().Add("/metadata/labels/step", "2"), default);
        (await watch.UntilAsync<ApiChanged<PodView>>()).Item.Image.ShouldBe("registry.invalid/sandbox:1");
        (await watch.UntilAsync<ApiChanged<PodView>>()).Item.Labels["step"].ShouldBe("2");
        watch.Seen.Count.ShouldBe(3);
    }

    // There is no node: its word is put in by hand.
    private async Task<PodView> CreateAsync(string name, string status)
    {
        var manifest = Manifests.Pod(name);
        manifest["spec"]!["nodeName"] = "n1";
        await control.Client.Pods.CreateAsync(manifest, Manifests.Type, default);
        manifest["status"] = JsonNode.Parse(status);
        await control.Cluster.KubectlWithInputAsync(manifest.ToJsonString(), "replace", "--raw", $"/api/v1/namespaces/{control.Namespace.Name}/pods/{name}/status", "-f", "-");
        return await control.Client.Pods.GetAsync(name, default);
    }
}
