using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests.Expiry;

/// <summary>When it is swept, by how many, and what an outage does to it.</summary>
public sealed class SweeperTests : Sweeps
{
    [Fact]
    public async Task What_has_ended_is_removed_at_the_next_sweep_which_comes_about_a_minute_later()
    {
        var living = await PutAsync();
        var ended = await EndedAsync();
        await Manager.Sweeper.StartAsync(CancellationToken.None);
        for (var sweep = 0; sweep < 3; sweep++)
        {
            var left = await Clock.TimerAsync(due => due >= TimeSpan.FromSeconds(54) && due <= TimeSpan.FromSeconds(66)).WaitAsync(Patience.Limit);
            Clock.Advance(left - TimeSpan.FromTicks(1));
            Lives(ended).ShouldBeTrue();
            Clock.Advance(TimeSpan.FromTicks(1));
            await Manager.ViewAsync(ended.Name, seen => seen is null);
            ended = await EndedAsync();
        }

        Lives(living).ShouldBeTrue();
    }

    [Fact]
    public async Task An_operator_can_keep_what_has_ended_and_nothing_else()
    {
        await using var manager = await SweepingManager.StartAsync(Backend, Clock, Options with { CleanupCompletedPods = false });
        var ended = await EndedAsync();
        var living = await PutAsync();
        var stuck = await PutAsync(PoolStatus.Warm, sandbox => sandbox with { Phase = SandboxPhase.Pending, IsReady = false });
        await manager.ViewAsync(stuck.Name, seen => seen?.Version == stuck.Version);
        Clock.Advance(TimeSpan.FromHours(1));

        await manager.SweepAsync();

        Backend.Sandboxes.ShouldHaveSingleItem().Name.ShouldBe(ended.Name);
        Lives(living).ShouldBeFalse();
    }

    [Fact]
    public async Task However_many_sweep_every_sandbox_is_deleted_once()
    {
        var backend = new DeleteWitness(Backend);
        await using var one = await SweepingManager.StartAsync(backend, Clock, Options);
        await using var other = await SweepingManager.StartAsync(backend, Clock, Options);
        var sandboxes = new List<Sandbox>();
        for (var i = 0; i < 50; i++) sandboxes.Add(await PutAsync());
        var last = sandboxes[^1];
        foreach (var manager in new[] { one, other }) await manager.ViewAsync(last.Name, seen => seen?.Version == last.Version);
        Clock.Advance(TimeSpan.FromMinutes(15));

        await Task.WhenAll(Task.Run(one.SweepAsync), Task.Run(other.SweepAsync));

        backend.Deleted.Order(StringComparer.Ordinal).ShouldBe(sandboxes.Select(sandbox => sandbox.Name).Order(StringComparer.Ordinal));
        await Task.WhenAll(one.SweepAsync(), other.SweepAsync());
        backend.Deleted.Count.ShouldBe(50);
    }

    [Fact]
    public async Task A_sweep_that_meets_an_outage_goes_on_next_time()
    {
        var backend = new DeleteWitness(Backend);
        await using var manager = await SweepingManager.StartAsync(backend, Clock, Options);
        for (var i = 0; i < 20; i++) await PutAsync();
        var last = await PutAsync();
        await manager.ViewAsync(last.Name, seen => seen?.Version == last.Version);
        Clock.Advance(TimeSpan.FromMinutes(15));
        var deletes = 0;
        backend.BeforeDelete = _ =>
        {
            if (Interlocked.Increment(ref deletes) == 5) Backend.Outage = "unplugged";
            return Task.CompletedTask;
        };

        await manager.SweepAsync();
        Backend.Sandboxes.Count.ShouldBeInRange(1, 20);
        (await manager.Service.ListAsync(CancellationToken.None)).Count.ShouldBeGreaterThanOrEqualTo(Backend.Sandboxes.Count);

        Backend.Outage = null;
        await manager.SweepAsync();
        Backend.Sandboxes.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_sandbox_that_cannot_be_swept_keeps_no_other_from_it()
    {
        var backend = new DeleteWitness(Backend);
        await using var manager = await SweepingManager.StartAsync(backend, Clock, Options);
        var odd = await PutAsync();
        var other = await PutAsync();
        await manager.ViewAsync(other.Name, seen => seen?.Version == other.Version);
        Clock.Advance(TimeSpan.FromMinutes(15));
        backend.BeforeDelete = seen => seen.Name == odd.Name ? throw new InvalidOperationException("a defect") : Task.CompletedTask;

        await manager.SweepAsync();

        Backend.Sandboxes.ShouldHaveSingleItem().Name.ShouldBe(odd.Name);
    }

    [Fact]
    public async Task What_another_is_deleting_is_left_to_it()
    {
        var backend = new DeleteWitness(Backend);
        await using var manager = await SweepingManager.StartAsync(backend, Clock, Options);
        var sandbox = await PutAsync(change: ready => ready with { IsDeleting = true });
        await manager.ViewAsync(sandbox.Name, seen => seen?.Version == sandbox.Version);
        Clock.Advance(TimeSpan.FromHours(1));

        await manager.SweepAsync();

        backend.Deleted.ShouldBeEmpty();
    }

    private Task<Sandbox> EndedAsync() => PutAsync(change: ready => ready with { Phase = SandboxPhase.Failed, IsReady = false, Message = "OOMKilled: too much." });
}
