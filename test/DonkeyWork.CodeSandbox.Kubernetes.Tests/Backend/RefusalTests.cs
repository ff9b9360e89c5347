using DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Backend;

/// <summary>What a cluster lacks is named, with what to do.</summary>
[Collection(ControlCollection.Name)]
public sealed class RefusalTests(ControlBackend control) : IClassFixture<ControlBackend>
{
    [Theory]
    [InlineData("no-such-namespace", "kata-qemu", "There is no namespace no-such-namespace: kubectl apply -f k8s/namespace.yaml, or set KataContainerManager:TargetNamespace.")]
    [InlineData(null, "no-such-class", "There is no RuntimeClass no-such-class: install its runtime and kubectl apply -f k8s/runtimeclass.yaml, or set KataContainerManager:RuntimeClassName.")]
    public async Task A_create_says_what_is_missing(string? @namespace, string runtimeClass, string expected)
    {
        await using var backend = await ClusterBackend.StartAsync(control.Place, options => options with
        {
            TargetNamespace = @namespace ?? options.TargetNamespace,
            RuntimeClassName = runtimeClass,
        });

        var refused = await Should.ThrowAsync<BackendUnavailableException>(() => backend.Backend.CreateAsync(Specs.New(), CancellationToken.None));

        refused.Message.ShouldBe(expected);
        refused.MayHaveHappened.ShouldBeFalse();
    }

    [Fact]
    public async Task An_api_server_that_is_not_there_is_named()
    {
        await using var backend = await ClusterBackend.StartAsync(control.Place, options => options with { Connection = new() { ServerUrl = "http://127.0.0.1:1", Token = "t" } });

        (await Should.ThrowAsync<BackendUnavailableException>(() => backend.Backend.ReadAsync("test-00000000", CancellationToken.None)))
            .Message.ShouldStartWith("The API server http://127.0.0.1:1/ does not answer: ");
    }

    [Fact]
    public async Task A_watch_that_is_refused_says_what_to_do()
    {
        var (relay, through) = await control.RelayAsync();
        await using var _ = relay;
        await using var backend = await ClusterBackend.StartAsync(control.Place, options => options with { Connection = through(options).Connection with { Token = "wrong" } });

        await foreach (var observation in backend.Backend.WatchAsync(CancellationToken.None))
        {
            observation.ShouldBeOfType<BackendLost>().Reason.ShouldContain("does not accept the Manager's credentials");
            break;
        }
    }
}
