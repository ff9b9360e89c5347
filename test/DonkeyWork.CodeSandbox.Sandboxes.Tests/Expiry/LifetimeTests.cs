using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests.Expiry;

/// <summary>What goes whatever its executor would say: nobody is asked.</summary>
public sealed class LifetimeTests : Sweeps
{
    [Theory]
    [InlineData(PoolStatus.Manual)]
    [InlineData(PoolStatus.Allocated)]
    public async Task A_sandbox_goes_at_the_end_of_the_maximum_however_much_it_is_used(PoolStatus poolStatus)
    {
        var sandbox = await PutAsync(poolStatus);
        await GoesAfterAsync(sandbox, TimeSpan.FromMinutes(15));
    }

    [Fact]
    public async Task A_sandbox_goes_at_the_end_of_the_lifetime_its_claim_asked_for()
    {
        var sandbox = await PutAsync(PoolStatus.Allocated, ready => ready with { Lifetime = TimeSpan.FromSeconds(90) });
        await GoesAfterAsync(sandbox, TimeSpan.FromSeconds(90));
    }

    [Fact]
    public async Task A_lifetime_begins_when_the_sandbox_gets_its_owner()
    {
        var sandbox = await PutAsync(PoolStatus.Warm);
        Clock.Advance(TimeSpan.FromHours(1));
        await ChangeAsync(sandbox.Name, warm => warm with { PoolStatus = PoolStatus.Allocated, AllocatedAt = Clock.GetUtcNow() });

        await GoesAfterAsync(sandbox, TimeSpan.FromMinutes(15));
    }

    [Theory]
    [InlineData(PoolStatus.Manual)]
    [InlineData(PoolStatus.Allocated)]
    [InlineData(PoolStatus.Warm)]
    public async Task A_sandbox_that_is_stuck_in_creation_goes_thirty_seconds_after_it_is_late(PoolStatus poolStatus)
    {
        var sandbox = await PutAsync(poolStatus, ready => ready with { Phase = SandboxPhase.Pending, IsReady = false });
        Clock.Advance(TimeSpan.FromSeconds(120) - TimeSpan.FromTicks(1));
        await SweepUnaskedAsync();
        Lives(sandbox).ShouldBeTrue();

        Clock.Advance(TimeSpan.FromTicks(1));
        await SweepUnaskedAsync();

        Lives(sandbox).ShouldBeFalse();
    }

    [Fact]
    public async Task What_is_in_creation_is_not_idle_however_short_the_limit()
    {
        await using var manager = await SweepingManager.StartAsync(Backend, Clock, Options with { IdleTimeoutMinutes = 1, PodReadyTimeoutSeconds = 300 });
        var sandbox = await PutAsync(change: ready => ready with { Phase = SandboxPhase.Pending, IsReady = false });
        await manager.ViewAsync(sandbox.Name, seen => seen?.Version == sandbox.Version);
        Clock.Advance(TimeSpan.FromMinutes(2));

        await manager.SweepAsync();

        Executor.HasCall.ShouldBeFalse();
        Lives(sandbox).ShouldBeTrue();
    }

    private async Task GoesAfterAsync(Sandbox sandbox, TimeSpan lifetime)
    {
        Clock.Advance(lifetime - TimeSpan.FromTicks(1));
        await Manager.UseAsync(sandbox.Name);
        await SweepUnaskedAsync();
        Lives(sandbox).ShouldBeTrue();

        Clock.Advance(TimeSpan.FromTicks(1));
        await SweepUnaskedAsync();
        Lives(sandbox).ShouldBeFalse();
    }
}
