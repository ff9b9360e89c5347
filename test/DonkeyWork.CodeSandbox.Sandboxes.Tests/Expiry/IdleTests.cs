using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests.Expiry;

/// <summary>What nobody uses goes, and what is used does not.</summary>
public sealed class IdleTests : Sweeps
{
    [Fact]
    public async Task An_idle_sandbox_goes_and_is_not_found_any_more()
    {
        var sandbox = await PutAsync();
        Clock.Advance(Idle);

        await SweepAsync(Nothing);

        Lives(sandbox).ShouldBeFalse();
        (await Should.ThrowAsync<SandboxException>(() => Manager.Service.FindAsync(sandbox.Name, CancellationToken.None))).Code.ShouldBe(ErrorCodes.SandboxNotFound);
    }

    [Fact]
    public async Task A_sandbox_is_not_idle_a_tick_too_early_and_is_not_even_asked()
    {
        var sandbox = await PutAsync();
        Clock.Advance(Idle - TimeSpan.FromTicks(1));

        await SweepUnaskedAsync();

        Lives(sandbox).ShouldBeTrue();
    }

    [Fact]
    public async Task A_sandbox_that_is_used_stays()
    {
        var sandbox = await PutAsync();
        for (var minute = 0; minute < 14; minute += 2)
        {
            await Manager.UseAsync(sandbox.Name);
            Clock.Advance(TimeSpan.FromMinutes(2));
            await SweepUnaskedAsync();
        }

        Lives(sandbox).ShouldBeTrue();
    }

    [Theory]
    [InlineData(Running)]
    [InlineData("""{"running":0,"openStreams":2,"flavour":"a test"}""")]
    public async Task Work_in_a_sandbox_keeps_it_and_is_recorded(string busy)
    {
        var sandbox = await PutAsync();
        Clock.Advance(Idle);

        await SweepAsync(busy);

        Stored(sandbox.Name)!.LastActivity.ShouldBe(Clock.GetUtcNow());
        await SweepUnaskedAsync();

        // And only while it lasts.
        Clock.Advance(Idle);
        await SweepAsync(Nothing);
        Lives(sandbox).ShouldBeFalse();
    }

    [Fact]
    public async Task What_the_executor_has_done_last_counts_and_is_recorded_as_it_was()
    {
        var sandbox = await PutAsync();
        Clock.Advance(Idle);
        var ended = Clock.GetUtcNow() - TimeSpan.FromMinutes(1);

        await SweepAsync(Done(ended));

        Stored(sandbox.Name)!.LastActivity.ShouldBe(ended);
        Clock.Advance(Idle - TimeSpan.FromMinutes(1));
        await SweepAsync(Done(ended));
        Lives(sandbox).ShouldBeFalse();
    }

    [Fact]
    public async Task A_sandbox_that_says_it_was_used_in_the_future_is_kept_for_no_longer_than_one_used_now()
    {
        var sandbox = await PutAsync();
        Clock.Advance(Idle);

        await SweepAsync(Done(DateTimeOffset.MaxValue));

        Stored(sandbox.Name)!.LastActivity.ShouldBe(Clock.GetUtcNow());
    }

    [Fact]
    public async Task A_sandbox_that_says_it_was_used_before_the_beginning_of_time_is_idle()
    {
        var sandbox = await PutAsync();
        Clock.Advance(Idle);

        await SweepAsync(Done(DateTimeOffset.MinValue));

        Lives(sandbox).ShouldBeFalse();
    }

    [Fact]
    public async Task A_sandbox_of_the_pool_is_never_idle()
    {
        var sandbox = await PutAsync(PoolStatus.Warm);
        Clock.Advance(TimeSpan.FromDays(1));

        await SweepUnaskedAsync();

        Lives(sandbox).ShouldBeTrue();
    }

    [Fact]
    public async Task The_question_carries_the_token_of_the_sandbox_it_is_for()
    {
        var sandbox = await PutAsync();
        Clock.Advance(Idle);

        var sweep = Manager.SweepAsync();
        var call = await Executor.NextCallAsync();

        call.Header(ExecutorProtocol.TokenHeader).ShouldBe(SweepingManager.Tokens.TokenOf(sandbox.Name, sandbox.Nonce));
        await call.AnswerAsync("200 OK", "application/json", Nothing);
        await sweep;
    }

    private static string Done(DateTimeOffset when) => $$"""{"running":0,"openStreams":0,"lastActivity":"{{when:O}}","flavour":"a test"}""";
}
