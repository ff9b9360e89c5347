using DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;
using DonkeyWork.CodeSandbox.Testing.Backends;
using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Backend;

/// <summary>Pods that others made in the namespace. The API server alone is enough: none of them has to run.</summary>
[Collection(ControlCollection.Name)]
public sealed class ForeignPodTests(ControlBackend control) : IClassFixture<ControlBackend>
{
    private const string Annotation = "codesandbox.donkeywork.dev/template";

    private readonly ISandboxBackend _backend = control.Backend;

    [Fact]
    public async Task A_pod_of_others_is_never_read_shown_or_replaced_even_under_a_name_and_label_of_ours()
    {
        var spec = Specs.New();
        await RunForeignAsync(spec.Name);

        (await _backend.ReadAsync(spec.Name, CancellationToken.None)).ShouldBeNull();
        (await ListAsync()).ShouldNotContain(spec.Name);
        await Should.ThrowAsync<SandboxExistsException>(() => _backend.CreateAsync(spec, CancellationToken.None));
        (await control.Place.KubectlAsync("get", "pod", spec.Name, "--output=jsonpath={.spec.containers[0].image}")).ShouldBe("foreign");

        // The annotation alone was missing.
        await control.Place.KubectlAsync("annotate", "pod", spec.Name, $"{Annotation}=t");
        (await _backend.ReadAsync(spec.Name, CancellationToken.None)).ShouldNotBeNull();
        (await ListAsync()).ShouldContain(spec.Name);
        await control.Place.KubectlAsync("delete", "pod", spec.Name, "--wait=true");
    }

    [Fact]
    public async Task A_pod_that_is_taken_from_us_is_gone_and_its_changes_and_deletes_do_not_happen()
    {
        var spec = Specs.New();
        var seen = await _backend.CreateAsync(spec, CancellationToken.None);
        using var limit = new CancellationTokenSource(Patience.Limit);
        await using var watch = _backend.WatchAsync(limit.Token).GetAsyncEnumerator(limit.Token);
        (await watch.MoveNextAsync()).ShouldBeTrue();

        await control.Place.KubectlAsync("annotate", "pod", spec.Name, $"{Annotation}-");

        while (await watch.MoveNextAsync() && watch.Current is not SandboxGone) { }
        watch.Current.ShouldBeOfType<SandboxGone>().Sandbox.Uid.ShouldBe(seen.Uid);
        await Should.ThrowAsync<SandboxConflictException>(() => _backend.ChangeAsync(seen, new SandboxChange { Owner = "u" }, ChangeCondition.SameVersion, CancellationToken.None));
        await Should.ThrowAsync<SandboxConflictException>(() => _backend.DeleteAsync(seen, DeleteCondition.SameVersion, CancellationToken.None));
        (await _backend.ReadAsync(spec.Name, CancellationToken.None)).ShouldBeNull();
        await control.Place.KubectlAsync("delete", "pod", spec.Name, "--wait=true");
    }

    [Fact]
    public async Task A_pod_that_the_watch_would_not_tell_of_is_not_read_either()
    {
        var seen = await _backend.CreateAsync(Specs.New(), CancellationToken.None);

        await control.Place.KubectlAsync("label", "pod", seen.Name, "managed-by-");

        (await ListAsync()).ShouldNotContain(seen.Name);
        (await _backend.ReadAsync(seen.Name, CancellationToken.None)).ShouldBeNull();
        await control.Place.KubectlAsync("delete", "pod", seen.Name, "--wait=true");
    }

    private Task<string> RunForeignAsync(string name) =>
        control.Place.KubectlAsync("run", name, "--image=foreign", "--labels=managed-by=CodeSandbox-Manager", "--restart=Never");

    private async Task<IEnumerable<string>> ListAsync()
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        await foreach (var observation in _backend.WatchAsync(limit.Token))
            return observation.ShouldBeOfType<SandboxListed>().Sandboxes.Select(sandbox => sandbox.Name);
        throw new InvalidOperationException("The watch has ended by itself.");
    }
}
