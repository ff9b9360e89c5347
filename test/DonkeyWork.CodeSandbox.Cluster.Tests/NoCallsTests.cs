using System.Net;

namespace DonkeyWork.CodeSandbox.Cluster.Tests;

/// <summary>What a Manager does not ask the API server, as the API server wrote it down.</summary>
public sealed class NoCallsTests : IAsyncLifetime
{
    private ControlPlane _control = null!;
    private KubernetesManager _manager = null!;

    public async Task InitializeAsync()
    {
        _control = await ControlPlane.StartAsync();
        _manager = await KubernetesManager.StartAsync(_control.Place);
    }

    public async Task DisposeAsync()
    {
        await _manager.DisposeAsync();
        await _control.DisposeAsync();
    }

    [Fact]
    public async Task List_and_get_of_known_sandboxes_make_no_call()
    {
        var names = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => _manager.CreateNamedAsync()));

        var calls = await CallsOf(async () =>
        {
            for (var i = 0; i < 50; i++)
            {
                (await _manager.ListAsync()).ShouldBe(names.Order());
                foreach (var name in names) (await _manager.Http.GetAsync($"/api/kata/{name}")).StatusCode.ShouldBe(HttpStatusCode.OK);
            }
        });

        calls.ShouldBeEmpty();
        await _manager.Client.DeleteAllAsync();
    }

    [Fact]
    public async Task A_name_that_nobody_knows_is_read_once_before_it_is_a_404_and_what_is_no_name_never()
    {
        var calls = await CallsOf(async () => await (await _manager.Http.GetAsync("/api/kata/kata-sandbox-00000000")).ShouldBeProblemAsync(HttpStatusCode.NotFound, "sandbox_not_found"));
        calls.ShouldHaveSingleItem().ShouldBe(new AuditedCall(_control.Place.User, "get", "pods", "", "kata-sandbox-00000000", 404));

        (await CallsOf(async () => await (await _manager.Http.GetAsync("/api/kata/anything")).ShouldBeProblemAsync(HttpStatusCode.NotFound, "sandbox_not_found"))).ShouldBeEmpty();
    }

    // Who leads is settled beside it.
    private async Task<IReadOnlyList<AuditedCall>> CallsOf(Func<Task> action) =>
        [.. (await _control.Place.Audit.DuringAsync(_control.Place.User, action)).Where(call => call.Resource != "leases")];
}
