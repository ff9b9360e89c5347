using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Backend;

/// <summary>What is told of real pods that do not get up.</summary>
public sealed class PodMessageTests(NodeCluster cluster) : IClassFixture<NodeCluster>
{
    [Fact]
    public async Task An_image_that_cannot_be_had_is_told_in_the_nodes_words()
    {
        var message = await MessageAsync(options => options with { DefaultImage = "registry.invalid/none:1" }, Specs.New(), text => text.StartsWith("ErrImagePull: ", StringComparison.Ordinal));

        message.ShouldContain("registry.invalid/none:1");
    }

    [Fact]
    public async Task An_image_that_must_be_there_and_is_not_is_told() =>
        (await MessageAsync(options => options with { DefaultImage = "registry.invalid/none:2", ImagePullPolicy = ImagePullPolicy.Never }, Specs.New(), text => text.StartsWith("ErrImageNeverPull", StringComparison.Ordinal)))
            .ShouldContain("registry.invalid/none:2");

    [Fact]
    public async Task A_pod_that_fits_nowhere_is_told_in_the_schedulers_words()
    {
        var spec = Specs.New(cpuMillicores: 900_000);
        spec = spec with { Resources = spec.Resources with { Requests = new ResourceQuantities { MemoryMi = 64, CpuMillicores = 900_000 } } };

        (await MessageAsync(options => options, spec, text => text.StartsWith("It cannot be scheduled: ", StringComparison.Ordinal)))
            .ShouldContain("Insufficient cpu");
    }

    [Fact]
    public async Task A_container_that_ends_at_once_is_told_with_its_exit_code()
    {
        var (state, _) = await StateAsync(options => options with { DefaultImage = "localhost/busybox:1" }, Specs.New(), sandbox => sandbox is { HasEnded: true });

        state.Message.ShouldBe("Its container ended with exit code 0");
        state.IsReady.ShouldBeFalse();
    }

    [Fact]
    public async Task While_it_is_made_each_step_is_told()
    {
        var (state, messages) = await StateAsync(options => options, Specs.New(), sandbox => sandbox is { IsReady: true });

        state.Message.ShouldBeNull();
        messages.ShouldContain(message => message != null && message.Contains("node", StringComparison.OrdinalIgnoreCase));
    }

    private async Task<string> MessageAsync(Func<KubernetesOptions, KubernetesOptions> change, SandboxSpec spec, Predicate<string> wanted) =>
        (await StateAsync(change, spec, sandbox => sandbox.Message is { } message && wanted(message))).State.Message!;

    private async Task<(Sandbox State, List<string?> Messages)> StateAsync(Func<KubernetesOptions, KubernetesOptions> change, SandboxSpec spec, Predicate<Sandbox> wanted)
    {
        await using var backend = await ClusterBackend.StartAsync(cluster.Place, change);
        var created = await backend.Backend.CreateAsync(spec, CancellationToken.None);
        var messages = new List<string?>();
        try
        {
            var state = await backend.Backend.UntilAsync(spec.Name, sandbox =>
            {
                messages.Add(sandbox?.Message);
                return sandbox is not null && wanted(sandbox);
            });
            return (state!, messages);
        }
        finally
        {
            await backend.Backend.DeleteGoneAsync(created);
        }
    }
}
