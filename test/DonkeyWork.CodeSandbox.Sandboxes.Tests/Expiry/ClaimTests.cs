using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests.Expiry;

/// <summary>A claim that was written and never answered leaves a sandbox that nobody knows of.</summary>
public sealed class ClaimTests : Sweeps
{
    private static readonly TimeSpan Answered = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_sandbox_whose_claim_was_never_answered_goes_after_sixty_seconds()
    {
        var sandbox = await ClaimedAsync();
        Clock.Advance(Answered - TimeSpan.FromTicks(1));
        await SweepUnaskedAsync();
        Clock.Advance(TimeSpan.FromTicks(1));

        await SweepAsync(Unclaimed, "409 Conflict");

        Lives(sandbox).ShouldBeFalse();
    }

    [Fact]
    public async Task One_whose_claim_has_arrived_is_asked_once_and_not_again_before_it_is_idle()
    {
        var sandbox = await ClaimedAsync();
        Clock.Advance(Answered);
        await SweepAsync(Nothing);
        Stored(sandbox.Name)!.LastActivity.ShouldBeNull("A question is no use.");

        for (var time = Answered + Answered; time < Idle; time += Answered)
        {
            Clock.Advance(Answered);
            await SweepUnaskedAsync();
        }

        Clock.Advance(Answered);
        await SweepAsync(Nothing);
        Lives(sandbox).ShouldBeFalse();
    }

    [Fact]
    public async Task A_claim_that_is_tried_again_while_its_executor_is_asked_is_not_cut_off()
    {
        var sandbox = await ClaimedAsync();
        Clock.Advance(Answered);

        await SweepAsync(Unclaimed, "409 Conflict", () =>
        {
            Backend.Set(sandbox.Name, seen => seen with { LastActivity = Clock.GetUtcNow() });
            return Task.CompletedTask;
        });

        Lives(sandbox).ShouldBeTrue();
        Clock.Advance(Answered);
        await SweepAsync(Unclaimed, "409 Conflict");
        Lives(sandbox).ShouldBeFalse();
    }

    [Fact]
    public async Task One_that_does_not_answer_is_asked_again_and_not_given_up_before_it_is_idle()
    {
        var sandbox = await ClaimedAsync();
        for (var time = TimeSpan.Zero; time + Answered < Idle; time += Answered)
        {
            Clock.Advance(Answered);
            await SweepSilentAsync();
            Lives(sandbox).ShouldBeTrue();
        }

        Clock.Advance(Answered);
        await SweepSilentAsync();
        Lives(sandbox).ShouldBeFalse();
    }

    [Fact]
    public async Task One_that_is_used_is_not_asked()
    {
        var sandbox = await ClaimedAsync();
        for (var i = 0; i < 5; i++)
        {
            Clock.Advance(Answered - TimeSpan.FromSeconds(1));
            await Manager.UseAsync(sandbox.Name);
            await SweepUnaskedAsync();
        }
    }

    // As a claim leaves it: waiting in the pool before, for longer than anything may be idle.
    private async Task<Sandbox> ClaimedAsync()
    {
        var sandbox = await PutAsync(PoolStatus.Warm);
        Clock.Advance(TimeSpan.FromHours(1));
        return await ChangeAsync(sandbox.Name, warm => warm with { PoolStatus = PoolStatus.Allocated, Owner = "somebody", AllocatedAt = Clock.GetUtcNow() });
    }
}
