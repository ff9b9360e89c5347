using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests.Expiry;

/// <summary>A use and a delete at the same time: the first one wins, and the other is told.</summary>
public sealed class RaceTests : Sweeps
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_that_comes_between_the_judging_and_the_delete_wins(bool isAtAnotherManager)
    {
        var backend = new DeleteWitness(Backend);

        (await SurvivesAUseBeforeTheDeleteAsync(backend, isAtAnotherManager)).ShouldBeTrue();

        backend.Deleted.ShouldBeEmpty();
    }

    [Fact]
    public async Task Control_without_the_version_that_request_would_lose() =>
        (await SurvivesAUseBeforeTheDeleteAsync(new DeleteWitness(Backend) { IgnoresVersions = true }, isAtAnotherManager: true)).ShouldBeFalse();

    [Fact]
    public async Task A_request_that_comes_after_the_delete_is_not_passed_on()
    {
        var sandbox = await PutAsync();
        Clock.Advance(Idle);
        Backend.HoldWatch();
        await using var other = await SweepingManager.StartAsync(Backend, Clock, Options);

        await SweepAsync(Nothing);

        (await Should.ThrowAsync<SandboxException>(() => Manager.UseAsync(sandbox.Name))).Code.ShouldBe(ErrorCodes.SandboxNotFound);
        (await Should.ThrowAsync<SandboxException>(() => other.UseAsync(sandbox.Name))).Code.ShouldBe(ErrorCodes.SandboxNotFound);
    }

    [Fact]
    public async Task A_sandbox_is_in_view_until_its_delete_is_accepted()
    {
        var backend = new DeleteWitness(Backend);
        await using var manager = await SweepingManager.StartAsync(backend, Clock, Options);
        var sandbox = await PutSeenByAsync(manager);
        Clock.Advance(TimeSpan.FromMinutes(15));
        Sandbox? found = null;
        backend.BeforeDelete = async _ => found = await manager.Service.FindAsync(sandbox.Name, CancellationToken.None);

        await manager.SweepAsync();

        found.ShouldNotBeNull();
        (await Should.ThrowAsync<SandboxException>(() => manager.Service.FindAsync(sandbox.Name, CancellationToken.None))).Code.ShouldBe(ErrorCodes.SandboxNotFound);
    }

    [Fact]
    public async Task An_expired_sandbox_that_changes_while_it_is_judged_goes_in_the_same_sweep()
    {
        var backend = new DeleteWitness(Backend);
        await using var manager = await SweepingManager.StartAsync(backend, Clock, Options);
        var sandbox = await PutSeenByAsync(manager);
        Clock.Advance(TimeSpan.FromMinutes(15));
        // The view does not even see it.
        Backend.HoldWatch();
        Backend.Set(sandbox.Name, seen => seen with { Message = "something else" });

        await manager.SweepAsync();

        backend.Deleted.ShouldBe([sandbox.Name]);
    }

    [Fact]
    public async Task A_sandbox_that_changes_all_the_time_is_left_in_peace_until_the_next_sweep()
    {
        var backend = new DeleteWitness(Backend);
        await using var manager = await SweepingManager.StartAsync(backend, Clock, Options);
        var sandbox = await PutSeenByAsync(manager);
        Clock.Advance(TimeSpan.FromMinutes(15));
        var attempts = 0;
        backend.BeforeDelete = seen =>
        {
            attempts++;
            Backend.Set(seen.Name, same => same);
            return Task.CompletedTask;
        };

        await manager.SweepAsync();

        attempts.ShouldBe(2);
        (await manager.Service.FindAsync(sandbox.Name, CancellationToken.None)).Uid.ShouldBe(sandbox.Uid);
        backend.BeforeDelete = _ => Task.CompletedTask;
        await manager.SweepAsync();
        Lives(sandbox).ShouldBeFalse();
    }

    private async Task<Sandbox> PutSeenByAsync(SweepingManager manager)
    {
        var sandbox = await PutAsync();
        return (await manager.ViewAsync(sandbox.Name, seen => seen?.Version == sandbox.Version))!;
    }

    private async Task<bool> SurvivesAUseBeforeTheDeleteAsync(DeleteWitness backend, bool isAtAnotherManager)
    {
        await using var sweeping = await SweepingManager.StartAsync(backend, Clock, Options);
        var sandbox = await PutSeenByAsync(sweeping);
        Clock.Advance(Idle);

        var sweep = sweeping.SweepAsync();
        var question = await Executor.NextCallAsync();
        // It is judged; the use is recorded; and then the executor says that nothing runs, not yet.
        await (isAtAnotherManager ? Manager : sweeping).UseAsync(sandbox.Name);
        await question.AnswerAsync("200 OK", "application/json", Nothing);
        await sweep;
        return Lives(sandbox);
    }
}
