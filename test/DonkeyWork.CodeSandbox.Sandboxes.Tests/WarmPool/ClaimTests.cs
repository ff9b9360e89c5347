using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>What a claim costs, what it gives, and what becomes of a sandbox that it cannot give.</summary>
public sealed class ClaimTests
{
    [Fact]
    public async Task A_claim_writes_once_and_reads_nothing()
    {
        await using var pool = await PoolCore.FilledAsync(3);

        var claimed = await pool.ClaimAsync(new AllocateRequest
        {
            UserId = "anna@example",
            EnvironmentVariables = new Dictionary<string, string> { ["A"] = "1" },
            Labels = new Dictionary<string, string> { ["team"] = "blue" },
            TimeoutSeconds = 60,
        });

        (pool.Backend.Changes, pool.Backend.Reads, pool.Backend.Lists).ShouldBe((1, 0, 0));
        claimed.AcceptsCommands.ShouldBeTrue();
        var recorded = pool.Recorded(claimed);
        (recorded.PoolStatus, recorded.Owner, recorded.AllocatedAt, recorded.Lifetime)
            .ShouldBe((PoolStatus.Allocated, "anna@example", pool.Clock.GetUtcNow(), TimeSpan.FromMinutes(1)));
        recorded.Labels.ShouldContain(new KeyValuePair<string, string>("team", "blue"));
        recorded.Labels.ShouldContain(new KeyValuePair<string, string>(SandboxLabels.PoolStatus, "allocated"));
        var told = pool.Executors.Claims[pool.TokenOf(claimed)];
        (told.Owner, told.Environment!["A"]).ShouldBe(("anna@example", "1"));
    }

    [Fact]
    public async Task What_was_claimed_shows_as_its_owners_at_once_however_late_the_watch_is()
    {
        await using var pool = await PoolCore.UnledAsync(1);
        pool.Backend.HoldWatch();
        pool.Backend.Set(pool.Backend.Sandboxes[0].Name, sandbox => sandbox with { Message = "a newer version, not seen yet" });

        var claimed = await pool.ClaimAsync("anna");

        pool.Core.Registry.Find(claimed.Name)!.Owner.ShouldBe("anna");
    }

    [Fact]
    public async Task A_sandbox_that_another_was_faster_with_is_left_alone_and_the_next_is_taken()
    {
        await using var pool = await PoolCore.UnledAsync(2);
        Sandbox? lost = null;
        pool.Backend.BeforeChange = (seen, _) =>
        {
            pool.Backend.BeforeChange = (_, _) => Task.CompletedTask;
            lost = seen;
            pool.Backend.Set(seen.Name, sandbox => sandbox with { PoolStatus = PoolStatus.Allocated, Owner = "bert" });
            return Task.CompletedTask;
        };

        var claimed = await pool.ClaimAsync("anna");

        claimed.Uid.ShouldNotBe(lost!.Uid);
        pool.Recorded(lost).Owner.ShouldBe("bert");
        pool.Executors.Calls.ShouldBe(1);
    }

    [Fact]
    public async Task A_sandbox_that_turns_out_not_to_be_ready_is_deleted_and_the_next_is_taken()
    {
        await using var pool = await PoolCore.UnledAsync(2);
        var unready = OnceBeforeChange(pool, sandbox => sandbox with { IsReady = false });

        var claimed = await pool.ClaimAsync();

        var lost = await unready;
        claimed.Uid.ShouldNotBe(lost.Uid);
        await pool.GoneAsync(lost);
        pool.Executors.Calls.ShouldBe(1, "Nobody asks an executor that is not up.");
    }

    [Fact]
    public async Task A_sandbox_that_is_being_deleted_is_not_handed_out()
    {
        await using var pool = await PoolCore.UnledAsync(2);
        var deleting = OnceBeforeChange(pool, sandbox => sandbox with { IsDeleting = true });

        (await pool.ClaimAsync()).Uid.ShouldNotBe((await deleting).Uid);
    }

    [Theory]
    [InlineData("500 Internal Server Error")]
    [InlineData("302 Found")]
    [InlineData("409 Conflict")]
    [InlineData(null)]
    public async Task A_sandbox_whose_executor_does_not_open_is_deleted_and_the_next_is_taken(string? answer)
    {
        await using var pool = await PoolCore.UnledAsync(2);
        string? refused = null;
        pool.Executors.Instead = async (token, call) =>
        {
            if (refused is not null) return false;
            refused = token;
            if (answer is null) call.Cut();
            else await call.AnswerAsync(answer, "text/plain", "no");
            return true;
        };

        var claimed = await pool.ClaimAsync();

        pool.TokenOf(claimed).ShouldNotBe(refused);
        await pool.UntilAsync(statistics => statistics.Total == 1);
        pool.Backend.Changes.ShouldBe(2);
    }

    [Theory]
    [InlineData("401 Unauthorized", 1, ErrorCodes.ExecutorError)]
    [InlineData("500 Internal Server Error", 3, ErrorCodes.ExecutorUnreachable)]
    public async Task Whatever_keeps_a_Manager_from_all_executors_one_claim_does_not_cost_the_pool(string answer, int cost, string code)
    {
        await using var pool = await PoolCore.UnledAsync(6);
        pool.Executors.Instead = async (_, call) =>
        {
            await call.AnswerAsync(answer, "text/plain", "no");
            return true;
        };

        (await Should.ThrowAsync<SandboxException>(pool.ClaimAsync())).Code.ShouldBe(code);

        await pool.UntilAsync(statistics => statistics.Total == 6 - cost);
        pool.Backend.Changes.ShouldBe(cost);
    }

    [Fact]
    public async Task A_sandbox_whose_executor_is_silent_for_five_seconds_is_deleted_and_the_next_is_taken()
    {
        await using var pool = await PoolCore.UnledAsync(2);
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        pool.Executors.Instead = (_, _) => Task.FromResult(asked.TrySetResult());
        var claim = pool.ClaimAsync();
        await asked.Task.WaitAsync(Patience.Limit);

        pool.Clock.Advance(TimeSpan.FromSeconds(5) - TimeSpan.FromTicks(1));
        claim.IsCompleted.ShouldBeFalse();
        pool.Executors.Calls.ShouldBe(1);
        pool.Clock.Advance(TimeSpan.FromTicks(1));

        await claim;
        await pool.UntilAsync(statistics => statistics.Total == 1);
    }

    [Fact]
    public async Task An_executor_that_does_not_listen_yet_is_asked_again()
    {
        await using var pool = await PoolCore.UnledAsync(1);
        pool.Backend.Executor = new Uri("http://127.0.0.1:1/");
        var claim = pool.ClaimAsync();
        await pool.Clock.TimerAsync(TimeSpan.FromMilliseconds(10)).WaitAsync(Patience.Limit);
        pool.Backend.Executor = pool.Core.Executor.Address;
        pool.Clock.Advance(TimeSpan.FromMilliseconds(10));

        await claim;
        pool.Backend.Changes.ShouldBe(1);
    }

    [Fact]
    public async Task An_executor_that_never_listens_costs_five_seconds_and_the_sandbox()
    {
        await using var pool = await PoolCore.UnledAsync(1);
        pool.Backend.Executor = new Uri("http://127.0.0.1:1/");
        var claim = pool.ClaimAsync();
        var begun = pool.Clock.GetUtcNow();
        while (!claim.IsCompleted)
        {
            (pool.Clock.GetUtcNow() - begun).ShouldBeLessThanOrEqualTo(TimeSpan.FromSeconds(5));
            await Task.WhenAny(claim, Patience.UntilAsync(() => pool.Clock.NextTimer <= TimeSpan.FromMilliseconds(200), () => "Nothing is awaited."));
            if (!claim.IsCompleted) pool.Clock.AdvanceToNextTimer();
        }

        (await Should.ThrowAsync<SandboxException>(claim)).Code.ShouldBe(ErrorCodes.PoolExhausted);
        await pool.UntilAsync(statistics => statistics.Total == 0);
    }

    [Fact]
    public async Task What_nobody_has_waited_for_is_deleted()
    {
        await using var pool = await PoolCore.UnledAsync(1);
        using var caller = new CancellationTokenSource();
        pool.Executors.Instead = async (_, _) =>
        {
            await caller.CancelAsync();
            return false;
        };

        await Should.ThrowAsync<OperationCanceledException>(pool.ClaimAsync("anna", caller.Token));

        await pool.UntilAsync(statistics => statistics.Total == 0);
    }

    [Fact]
    public async Task A_backend_that_is_away_is_told_and_takes_nothing_out_of_the_pool()
    {
        await using var pool = await PoolCore.UnledAsync(1);
        pool.Backend.Outage = "unplugged";
        for (var i = 0; i < 3; i++) await Should.ThrowAsync<BackendUnavailableException>(pool.ClaimAsync());
        pool.Backend.Outage = null;

        await pool.ClaimAsync();
    }

    [Fact]
    public async Task One_of_the_current_template_goes_first()
    {
        await using var pool = await PoolCore.UnledAsync(10);
        foreach (var sandbox in pool.Backend.Sandboxes.Skip(1)) pool.Backend.Set(sandbox.Name, other => other with { Template = "outdated" });
        var current = pool.Backend.Sandboxes[0];
        await pool.Core.ViewAsync(pool.Backend.Sandboxes[^1].Name, sandbox => sandbox!.Template == "outdated");

        (await pool.ClaimAsync()).Uid.ShouldBe(current.Uid);
        (await pool.ClaimAsync()).Template.ShouldBe("outdated", "Better than none.");
    }

    [Fact]
    public async Task The_pool_is_counted_by_what_its_sandboxes_are()
    {
        await using var pool = await PoolCore.UnledAsync(4, new SandboxOptions { MaxTotalContainers = 20 });
        await pool.ClaimAsync();
        pool.Backend.IsReadyAtOnce = false;
        await pool.Core.CreateAsync();
        pool.Backend.Set(pool.Backend.Sandboxes.First(sandbox => sandbox.PoolStatus == PoolStatus.Warm).Name, sandbox => sandbox with { IsReady = false });
        pool.Backend.Limit = new SandboxLimit(15, "quota");
        await pool.UntilAsync(statistics => statistics.Creating == 1);

        pool.Core.Pool.Statistics.ShouldBe(new PoolStatistics
        {
            Creating = 1, Warm = 2, Allocated = 1, Manual = 1, Total = 5, TargetSize = 4, MaxTotalContainers = 15,
            ReadyPercentage = 50, UtilizationPercentage = 40, WarmCount = 2, AllocatedCount = 1, TotalCount = 5,
        });
    }

    private static Task<Sandbox> OnceBeforeChange(PoolCore pool, Func<Sandbox, Sandbox> change)
    {
        var changed = new TaskCompletionSource<Sandbox>(TaskCreationOptions.RunContinuationsAsynchronously);
        pool.Backend.BeforeChange = (seen, _) =>
        {
            if (changed.TrySetResult(seen)) pool.Backend.Set(seen.Name, change);
            return Task.CompletedTask;
        };
        return changed.Task;
    }
}
