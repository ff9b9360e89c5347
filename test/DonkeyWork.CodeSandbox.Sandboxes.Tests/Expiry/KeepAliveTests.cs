using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Expiry;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests.Expiry;

/// <summary>A caller keeps a sandbox that nothing uses.</summary>
public sealed class KeepAliveTests : Sweeps
{
    private static readonly ExpiryRules Rules = new(Options);

    [Fact]
    public async Task A_sandbox_stays_for_the_seconds_asked_for()
    {
        var sandbox = await PutAsync();

        var kept = await KeepAsync(sandbox, 600);

        Rules.ExpiresAt(kept).ShouldBe(Clock.GetUtcNow().AddSeconds(600));
        Stored(sandbox.Name).ShouldBe(kept);
        Clock.Advance(TimeSpan.FromSeconds(600) - TimeSpan.FromTicks(1));
        await SweepUnaskedAsync();
        Clock.Advance(TimeSpan.FromTicks(1));
        await SweepAsync(Nothing);
        Lives(sandbox).ShouldBeFalse();
    }

    [Fact]
    public async Task Seconds_that_are_not_over_yet_are_not_cut_off_by_a_backend_that_keeps_whole_ones()
    {
        var sandbox = await PutAsync();
        Clock.Advance(TimeSpan.FromMilliseconds(1500));

        var kept = await KeepAsync(sandbox, 600);

        kept.LastActivity!.Value.Millisecond.ShouldBe(0);
        Rules.ExpiresAt(kept)!.Value.ShouldBeGreaterThanOrEqualTo(Clock.GetUtcNow().AddSeconds(600));
    }

    [Theory]
    [InlineData(901)]
    [InlineData(86_400)]
    public async Task No_sandbox_is_kept_past_its_maximum(int seconds)
    {
        var sandbox = await PutAsync();

        var kept = await KeepAsync(sandbox, seconds);

        Rules.ExpiresAt(kept).ShouldBe(sandbox.CreatedAt.AddMinutes(15));
        kept.LastActivity!.Value.ShouldBeLessThanOrEqualTo(sandbox.CreatedAt.AddMinutes(15));
    }

    [Fact]
    public async Task No_sandbox_is_kept_past_the_lifetime_of_its_claim()
    {
        var sandbox = await PutAsync(PoolStatus.Allocated, ready => ready with { Lifetime = TimeSpan.FromMinutes(2) });

        Rules.ExpiresAt(await KeepAsync(sandbox, 600)).ShouldBe(sandbox.CreatedAt.AddMinutes(2));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    public async Task Less_than_the_idle_limit_counts_as_a_use(int seconds)
    {
        var sandbox = await PutAsync();
        Clock.Advance(TimeSpan.FromMinutes(4));

        (await KeepAsync(sandbox, seconds)).LastActivity.ShouldBe(Clock.GetUtcNow());
    }

    [Fact]
    public async Task A_sandbox_is_never_kept_for_less_than_before()
    {
        var sandbox = await PutAsync();
        var kept = await KeepAsync(sandbox, 600);
        Clock.Advance(TimeSpan.FromSeconds(31));

        (await KeepAsync(sandbox, 0)).ShouldBe(kept);
        (await KeepAsync(sandbox, 400)).ShouldBe(kept);
        (await Manager.UseAsync(sandbox.Name)).ShouldBe(kept);
        Stored(sandbox.Name).ShouldBe(kept);
    }

    [Fact]
    public async Task Of_two_at_once_the_longer_counts()
    {
        var sandbox = await PutAsync();
        var longer = Clock.GetUtcNow().AddSeconds(500);
        Backend.BeforeChange = (seen, _) =>
        {
            Backend.BeforeChange = (_, _) => Task.CompletedTask;
            Backend.Set(seen.Name, other => other with { LastActivity = longer });
            return Task.CompletedTask;
        };

        (await KeepAsync(sandbox, 600)).LastActivity.ShouldBe(longer);
    }

    [Fact]
    public async Task A_delete_that_was_judged_before_fails()
    {
        var sandbox = await PutAsync();
        Clock.Advance(Idle);

        await SweepAsync(Nothing, beforeAnswer: () => KeepAsync(sandbox, 0));

        Lives(sandbox).ShouldBeTrue();
    }

    [Fact]
    public async Task What_is_gone_cannot_be_kept()
    {
        var sandbox = await PutAsync();
        Backend.HoldWatch();
        Backend.Remove(sandbox.Name);

        await FailsAsync(sandbox, 600, ErrorCodes.SandboxNotFound);
    }

    [Fact]
    public async Task What_is_being_deleted_cannot_be_kept_even_if_that_shows_only_in_the_answer()
    {
        var sandbox = await PutAsync();
        Backend.HoldWatch();
        Backend.BeforeChange = (seen, _) =>
        {
            Backend.BeforeChange = (_, _) => Task.CompletedTask;
            Backend.Set(seen.Name, other => other with { IsDeleting = true }, isNewVersion: false);
            return Task.CompletedTask;
        };

        await FailsAsync(sandbox, 600, ErrorCodes.SandboxNotFound);
    }

    [Fact]
    public async Task What_nobody_has_claimed_cannot_be_kept()
    {
        var sandbox = await PutAsync(PoolStatus.Warm);

        await FailsAsync(sandbox, 600, ErrorCodes.NotClaimed);

        Backend.Changes.ShouldBe(0);
    }

    [Fact]
    public async Task What_another_Manager_has_just_claimed_can_be_kept()
    {
        var sandbox = await PutAsync(PoolStatus.Warm);
        Backend.HoldWatch();
        Backend.Set(sandbox.Name, warm => warm with { PoolStatus = PoolStatus.Allocated, AllocatedAt = Clock.GetUtcNow() });

        Rules.ExpiresAt(await KeepAsync(sandbox, 600)).ShouldBe(Clock.GetUtcNow().AddSeconds(600));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(86_401)]
    public async Task Seconds_are_within_a_day(int seconds)
    {
        var sandbox = await PutAsync();

        (await Should.ThrowAsync<InvalidSandboxException>(() => KeepAsync(sandbox, seconds))).Errors.Keys.ShouldBe(["seconds"]);
    }

    [Fact]
    public async Task A_backend_that_is_away_is_an_error_and_not_a_promise()
    {
        var sandbox = await PutAsync();
        Backend.Outage = "unplugged";

        await Should.ThrowAsync<BackendUnavailableException>(() => KeepAsync(sandbox, 600));
    }

    private Task<Sandbox> KeepAsync(Sandbox sandbox, int seconds) => Manager.Service.KeepAliveAsync(sandbox.Name, seconds, CancellationToken.None);

    private async Task FailsAsync(Sandbox sandbox, int seconds, string code) =>
        (await Should.ThrowAsync<SandboxException>(() => KeepAsync(sandbox, seconds))).Code.ShouldBe(code);
}
