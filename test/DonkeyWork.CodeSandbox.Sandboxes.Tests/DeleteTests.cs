using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>What is deleted, exactly that, and how soon that shows.</summary>
public sealed class DeleteTests : IAsyncLifetime
{
    private Core _core = null!;

    public async Task InitializeAsync() => _core = await Core.StartAsync();

    public async Task DisposeAsync() => await _core.DisposeAsync();

    [Fact]
    public async Task A_deleted_sandbox_is_gone_at_once_however_late_the_watch_is()
    {
        var sandbox = await _core.CreateReadyAsync();
        _core.Backend.HoldWatch();
        await _core.Service.DeleteAsync(sandbox.Name, default);

        (await _core.Service.ListAsync(default)).ShouldBeEmpty();
        await NotFoundAsync(() => _core.Service.FindAsync(sandbox.Name, default));
        await NotFoundAsync(() => _core.Service.DeleteAsync(sandbox.Name, default));

        // Not even a late word of the sandbox while it lived brings it back.
        _core.Backend.ReleaseWatch();
        _core.Backend.Tell(new SandboxChanged(sandbox));
        // Observed in order: when the next one is seen, that word has been heard.
        await _core.CreateReadyAsync();
        _core.Registry.Find(sandbox.Name).ShouldBeNull();
    }

    [Fact]
    public async Task Of_two_who_delete_one_succeeds()
    {
        var sandbox = await _core.CreateReadyAsync();

        var deletes = Enumerable.Range(0, 20).Select(_ => Task.Run(() => _core.Service.DeleteAsync(sandbox.Name, default))).ToList();
        await Task.WhenAny(Task.WhenAll(deletes)).WaitAsync(Patience.Limit);

        deletes.Count(delete => delete.IsCompletedSuccessfully).ShouldBe(1);
        deletes.Where(delete => delete.IsFaulted).ShouldAllBe(delete => ((SandboxException)delete.Exception!.InnerException!).Code == ErrorCodes.SandboxNotFound);
    }

    [Fact]
    public async Task Another_sandbox_of_the_same_name_is_spared()
    {
        var sandbox = await _core.CreateReadyAsync();
        _core.Backend.HoldWatch();
        _core.Backend.Remove(sandbox.Name);
        var other = await _core.Backend.CreateAsync(_core.Backend.Specs[0], default);

        await NotFoundAsync(() => _core.Service.DeleteAsync(sandbox.Name, default));

        _core.Backend.Sandboxes.ShouldHaveSingleItem().Uid.ShouldBe(other.Uid);
    }

    [Fact]
    public async Task A_delete_that_was_not_accepted_leaves_the_sandbox_in_view()
    {
        var sandbox = await _core.CreateReadyAsync();
        _core.Backend.Outage = "unplugged";

        await Should.ThrowAsync<BackendUnavailableException>(() => _core.Service.DeleteAsync(sandbox.Name, default));

        (await _core.Service.ListAsync(default)).ShouldHaveSingleItem();
        _core.Backend.Outage = null;
        await _core.Service.DeleteAsync(sandbox.Name, default);
        _core.Backend.Sandboxes.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_sandbox_that_another_deletes_is_not_brought_back_by_a_delete_of_ours_that_fails()
    {
        var creation = await _core.CreateAsync();
        _core.Backend.Outage = "unplugged";
        _core.Backend.Set(creation.Sandbox.Name, sandbox => sandbox with { IsDeleting = true });

        // What was not created to its end is deleted, and that is tried again in a second.
        await _core.Clock.TimerAsync(TimeSpan.FromSeconds(1)).WaitAsync(Patience.Limit);

        (await _core.Service.ListAsync(default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Delete_all_takes_the_ready_the_unready_and_the_remains()
    {
        var ready = await _core.CreateReadyAsync();
        var unready = (await _core.CreateAsync()).Sandbox;
        var ended = await _core.CreateReadyAsync();
        _core.Backend.Set(ended.Name, sandbox => sandbox with { Phase = SandboxPhase.Failed });
        await _core.ViewAsync(ended.Name, sandbox => sandbox!.Phase == SandboxPhase.Failed);

        var result = await _core.Service.DeleteAllAsync(default);

        result.DeletedPods.ShouldBe(new[] { ready.Name, unready.Name, ended.Name }.Order(StringComparer.Ordinal));
        (result.DeletedCount, result.FailedCount).ShouldBe((3, 0));
        _core.Backend.Sandboxes.ShouldBeEmpty();
    }

    [Fact]
    public async Task Delete_all_names_what_it_could_not_delete()
    {
        var sandbox = await _core.CreateReadyAsync();
        _core.Backend.Outage = "unplugged";

        var result = await _core.Service.DeleteAllAsync(default);

        (result.DeletedCount, result.FailedCount).ShouldBe((0, 1));
        result.FailedPods.ShouldBe([sandbox.Name]);
    }

    private static async Task NotFoundAsync(Func<Task> action) =>
        (await Should.ThrowAsync<SandboxException>(action)).Code.ShouldBe(ErrorCodes.SandboxNotFound);
}
