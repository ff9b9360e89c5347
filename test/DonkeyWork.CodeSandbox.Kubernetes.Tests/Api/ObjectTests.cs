using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;

/// <summary>Each verb and each refusal, by the real API server; kubectl is the witness.</summary>
[Collection(ControlCollection.Name)]
public sealed class ObjectTests(ControlNamespace control) : IClassFixture<ControlNamespace>
{
    private KubernetesClient Client => control.Client;

    [Fact]
    public async Task A_pod_is_created_read_listed_changed_and_deleted()
    {
        var created = await Client.Pods.CreateAsync(Manifests.Pod("life", "life"), Manifests.Type, default);
        created.Name.ShouldBe("life");
        (await KubectlAsync("get", "pod", "life", "-o", "jsonpath={.metadata.uid}")).ShouldBe(created.Uid);

        var changed = await Client.Pods.PatchAsync(
            "life", new JsonPatch().Test("/metadata/uid", created.Uid).Add($"/metadata/annotations/{JsonPatch.Escape("codesandbox.donkeywork.dev/last-activity")}", "12").Replace("/metadata/labels/app", "changed"), default);
        changed.Annotations["last-activity"].ShouldBe("12");
        (await KubectlAsync("get", "pod", "life", "-o", @"jsonpath={.metadata.annotations.codesandbox\.donkeywork\.dev/last-activity} {.metadata.labels.app}")).ShouldBe("12 changed");

        (await Client.Pods.GetAsync("life", default)).ResourceVersion.ShouldBe(changed.ResourceVersion);
        (await Client.Pods.ListAsync("app=changed", default)).ShouldHaveSingleItem().Uid.ShouldBe(created.Uid);
        (await Client.Pods.ListAsync("app=life", default)).ShouldBeEmpty();

        await Client.Pods.DeleteAsync("life", new DeletePreconditions { Uid = created.Uid }, default);
        (await KubectlAsync("get", "pods", "-o", "name")).ShouldNotContain("pod/life\n");
    }

    [Fact]
    public async Task A_second_pod_of_a_name_is_refused()
    {
        await CreateAsync("twice");
        var refusal = await Should.ThrowAsync<ApiException>(CreateAsync("twice"));
        refusal.IsAlreadyExists.ShouldBeTrue();
        refusal.IsConflict.ShouldBeFalse();
        refusal.ObjectName.ShouldBe("twice");
    }

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        (await Should.ThrowAsync<ApiException>(Client.Pods.GetAsync("nobody", default))).ShouldSatisfyAllConditions(
            refusal => refusal.IsNotFound.ShouldBeTrue(), refusal => refusal.ObjectKind.ShouldBe("pods"));
        (await Should.ThrowAsync<ApiException>(Client.Pods.DeleteAsync("nobody", new(), default))).IsNotFound.ShouldBeTrue();
        (await Should.ThrowAsync<ApiException>(Client.Pods.PatchAsync("nobody", new JsonPatch().Remove("/metadata/labels"), default))).IsNotFound.ShouldBeTrue();
    }

    [Fact]
    public async Task A_missing_namespace_is_told_from_a_missing_pod()
    {
        using var connection = ClusterConnection.Load(new ConnectionOptions { Kubeconfig = control.Cluster.Kubeconfig }, TimeProvider.System);
        using var elsewhere = new KubernetesClient(connection, "no-such-namespace", TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<KubernetesClient>.Instance);
        var refusal = await Should.ThrowAsync<ApiException>(elsewhere.Pods.CreateAsync(Manifests.Pod("homeless"), Manifests.Type, default));
        refusal.IsNotFound.ShouldBeTrue();
        refusal.ObjectKind.ShouldBe("namespaces");
        refusal.ObjectName.ShouldBe("no-such-namespace");
    }

    [Fact]
    public async Task A_patch_whose_test_fails_changes_nothing_and_is_told_from_an_invalid_one()
    {
        var pod = await CreateAsync("tested");
        var failed = await Should.ThrowAsync<ApiException>(Client.Pods.PatchAsync(
            "tested", new JsonPatch().Test("/metadata/resourceVersion", "1").Replace("/metadata/labels/app", "stolen"), default));
        failed.StatusCode.ShouldBe(422);
        failed.IsPatchTestFailed.ShouldBeTrue();
        (await KubectlAsync("get", "pod", "tested", "-o", "jsonpath={.metadata.labels.app} {.metadata.resourceVersion}")).ShouldBe($"test {pod.ResourceVersion}");

        var invalid = await Should.ThrowAsync<ApiException>(Client.Pods.PatchAsync(
            "tested", new JsonPatch().Replace("/metadata/labels/app", "not a label!"), default));
        invalid.StatusCode.ShouldBe(422);
        invalid.IsPatchTestFailed.ShouldBeFalse();
        invalid.ObjectName.ShouldBe("tested");
    }

    [Fact]
    public async Task Of_two_patches_of_one_version_one_wins()
    {
        var pod = await CreateAsync("contested");
        var attempts = await Task.WhenAll(Enumerable.Range(0, 8).Select(async number =>
        {
            try
            {
                await Client.Pods.PatchAsync("contested", new JsonPatch().Test("/metadata/resourceVersion", pod.ResourceVersion).Replace("/metadata/labels/app", $"w{number}"), default);
                return true;
            }
            catch (ApiException lost) when (lost.IsPatchTestFailed || lost.IsConflict)
            {
                return false;
            }
        }));
        attempts.Count(won => won).ShouldBe(1);
    }

    [Fact]
    public async Task A_delete_whose_preconditions_are_not_met_deletes_nothing()
    {
        var pod = await CreateAsync("kept");
        (await Should.ThrowAsync<ApiException>(Client.Pods.DeleteAsync("kept", new DeletePreconditions { Uid = Guid.NewGuid().ToString() }, default))).IsConflict.ShouldBeTrue();
        (await Should.ThrowAsync<ApiException>(Client.Pods.DeleteAsync("kept", new DeletePreconditions { Uid = pod.Uid, ResourceVersion = "1" }, default))).IsConflict.ShouldBeTrue();
        (await KubectlAsync("get", "pod", "kept", "-o", "jsonpath={.metadata.uid}{.metadata.deletionTimestamp}")).ShouldBe(pod.Uid);

        await Client.Pods.DeleteAsync("kept", new DeletePreconditions { Uid = pod.Uid, ResourceVersion = pod.ResourceVersion, GracePeriodSeconds = 0 }, default);
        (await KubectlAsync("get", "pod", "kept", "--ignore-not-found")).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_a_quota_has_no_room_for_is_told_from_what_is_forbidden()
    {
        await using var full = await control.Cluster.CreateNamespaceAsync("quota");
        await full.ApplyAsync("""{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"none"},"spec":{"hard":{"pods":"0"}}}""");
        // Counting is a controller's work, and there is none here.
        await control.Cluster.KubectlWithInputAsync(
            """{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"none"},"spec":{"hard":{"pods":"0"}},"status":{"hard":{"pods":"0"},"used":{"pods":"0"}}}""",
            "replace", "--raw", $"/api/v1/namespaces/{full.Name}/resourcequotas/none/status", "-f", "-");
        using var connection = ClusterConnection.Load(new ConnectionOptions { Kubeconfig = control.Cluster.Kubeconfig }, TimeProvider.System);
        using var client = new KubernetesClient(connection, full.Name, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<KubernetesClient>.Instance);

        var refusal = await Should.ThrowAsync<ApiException>(client.Pods.CreateAsync(Manifests.Pod("too-many"), Manifests.Type, default));
        refusal.IsQuotaExceeded.ShouldBeTrue();
        refusal.IsForbidden.ShouldBeFalse();

        var quota = (await client.ResourceQuotas.ListAsync(null, default)).ShouldHaveSingleItem();
        quota.ShouldSatisfyAllConditions(
            () => quota.Hard["pods"].ShouldBe("0"), () => quota.EnforcedHard["pods"].ShouldBe("0"), () => quota.Used["pods"].ShouldBe("0"), () => quota.IsScoped.ShouldBeFalse());
    }

    [Fact]
    public async Task Whoever_may_not_is_told_so()
    {
        using var anonymous = control.With(new ConnectionOptions { ServerUrl = control.Server.AbsoluteUri, SkipTlsVerify = true });
        var refusal = await Should.ThrowAsync<ApiException>(anonymous.Client.Pods.ListAsync(null, default));
        refusal.IsForbidden.ShouldBeTrue();
        refusal.IsQuotaExceeded.ShouldBeFalse();
        refusal.Message.ShouldContain("system:anonymous");
    }

    private Task<Kubernetes.Api.Objects.PodView> CreateAsync(string name) => Client.Pods.CreateAsync(Manifests.Pod(name), Manifests.Type, default);

    private Task<string> KubectlAsync(params string[] arguments) => control.Namespace.KubectlAsync(arguments);
}
