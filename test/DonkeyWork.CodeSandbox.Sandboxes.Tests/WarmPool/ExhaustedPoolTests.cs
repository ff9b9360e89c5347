using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>What a claim gets where no sandbox is free: an error, a place in the line, or a sandbox made for it.</summary>
public sealed class ExhaustedPoolTests
{
    private static readonly AllocateRequest Waiting = new() { UserId = "anna", WaitSeconds = 60 };
    private static readonly AllocateRequest Creating = new() { UserId = "anna", CreateIfExhausted = true };

    [Fact]
    public async Task Who_does_not_wait_is_told_and_when_to_come_again()
    {
        await using var pool = await PoolCore.UnledAsync(1);
        await pool.ClaimAsync();

        var none = await ExhaustedAsync(pool.ClaimAsync());
        none.RetryAfter.ShouldBe(TimeSpan.FromSeconds(pool.Core.Options.PoolBackfillCheckIntervalSeconds));

        pool.Backend.IsReadyAtOnce = false;
        pool.Leadership.Lead(2);
        await pool.UntilAsync(statistics => statistics.Creating == 1);
        (await ExhaustedAsync(pool.ClaimAsync())).RetryAfter.ShouldBe(TimeSpan.FromSeconds(1), "One is being created.");
    }

    [Fact]
    public async Task Where_there_is_no_pool_nobody_waits_for_one()
    {
        await using var pool = await PoolCore.FilledAsync(0);

        (await ExhaustedAsync(pool.ClaimAsync(Waiting))).Message.ShouldContain("createIfExhausted");
        (await pool.ClaimAsync(Creating)).AcceptsCommands.ShouldBeTrue();
    }

    [Fact]
    public async Task Those_who_wait_are_served_first_come_first_served_and_not_overtaken()
    {
        await using var pool = await PoolCore.UnledAsync(3);
        var outs = await WarmsTakenOutAsync(pool);
        var claims = new List<Task<Sandbox>>();
        for (var i = 0; i < 3; i++)
        {
            claims.Add(pool.ClaimAsync(Waiting with { UserId = $"user {i}" }));
            await pool.Clock.TimerAsync(TimeSpan.FromSeconds(60)).WaitAsync(Patience.Limit);
            // So that the next one's timer is told from this one's.
            pool.Clock.Advance(TimeSpan.FromSeconds(1));
        }

        for (var i = 0; i < 3; i++)
        {
            var next = outs[i];
            await ExhaustedAsync(pool.ClaimAsync("hasty"));
            pool.Backend.Set(next.Name, sandbox => sandbox with { IsReady = true });

            (await claims[i]).Uid.ShouldBe(next.Uid);
            claims.Skip(i + 1).ShouldAllBe(claim => !claim.IsCompleted);
            if (i < 2) await ExhaustedAsync(pool.ClaimAsync("hasty"));
        }
    }

    [Fact]
    public async Task Who_loses_the_one_that_was_given_comes_before_those_who_came_later()
    {
        await using var pool = await PoolCore.UnledAsync(2);
        var outs = await WarmsTakenOutAsync(pool);
        // The claim that waits is given one, and its write is held.
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        pool.Backend.BeforeChange = (_, _) =>
        {
            begun.TrySetResult();
            return goOn.Task;
        };
        var first = pool.ClaimAsync(Waiting with { UserId = "first" });
        pool.Backend.Set(outs[0].Name, sandbox => sandbox with { IsReady = true });
        await begun.Task.WaitAsync(Patience.Limit);
        // Its wait is over. A second later its next one is told, by its timer, from that of who comes then.
        await Patience.UntilAsync(() => pool.Clock.NextTimer is null, () => "It still waits.");
        pool.Clock.Advance(TimeSpan.FromSeconds(1));

        // It loses that one: the next goes to it before it goes to one that came later.
        var second = pool.ClaimAsync(Waiting with { UserId = "second" });
        pool.Backend.Set(outs[0].Name, sandbox => sandbox with { PoolStatus = PoolStatus.Allocated, Owner = "another Manager's" });
        goOn.SetResult();
        await pool.Core.ViewAsync(outs[0].Name, sandbox => sandbox!.Owner is not null);
        await pool.Clock.TimerAsync(TimeSpan.FromSeconds(59)).WaitAsync(Patience.Limit);
        pool.Backend.Set(outs[1].Name, sandbox => sandbox with { IsReady = true });

        (await first).Uid.ShouldBe(outs[1].Uid);
        second.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task Who_has_waited_long_enough_is_told_and_takes_nothing()
    {
        await using var pool = await PoolCore.UnledAsync(1);
        var outs = await WarmsTakenOutAsync(pool);
        var claim = pool.ClaimAsync(Waiting);
        await pool.Clock.TimerAsync(TimeSpan.FromSeconds(60)).WaitAsync(Patience.Limit);

        pool.Clock.Advance(TimeSpan.FromSeconds(60));

        await ExhaustedAsync(claim);
        pool.Backend.Set(outs[0].Name, sandbox => sandbox with { IsReady = true });
        await pool.UntilAsync(statistics => statistics.Warm == 1);
        await pool.ClaimAsync();
    }

    [Fact]
    public async Task Who_leaves_the_line_takes_nothing_along()
    {
        await using var pool = await PoolCore.UnledAsync(1);
        var outs = await WarmsTakenOutAsync(pool);
        using var caller = new CancellationTokenSource();
        var leaving = pool.ClaimAsync(Waiting, caller.Token);
        var staying = pool.ClaimAsync(Waiting);

        await caller.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(leaving);
        pool.Backend.Set(outs[0].Name, sandbox => sandbox with { IsReady = true });

        (await staying).Uid.ShouldBe(outs[0].Uid);
    }

    [Fact]
    public async Task One_is_created_for_a_claim_that_asks_for_it_and_is_its_owners_from_birth()
    {
        await using var pool = await PoolCore.UnledAsync(1);
        await pool.ClaimAsync();

        var created = await pool.ClaimAsync(Creating with
        {
            EnvironmentVariables = new Dictionary<string, string> { ["A"] = "1" },
            Labels = new Dictionary<string, string> { ["team"] = "blue" },
            TimeoutSeconds = 60,
        });

        created.AcceptsCommands.ShouldBeTrue();
        var spec = pool.Backend.Specs[^1];
        (spec.PoolStatus, spec.Owner, spec.Lifetime, spec.Epoch).ShouldBe((PoolStatus.Allocated, "anna", TimeSpan.FromMinutes(1), null));
        spec.Start.Environment!["A"].ShouldBe("1");
        spec.Template.ShouldBe(pool.Backend.Specs[0].Template);
        spec.Labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}").ShouldBe([
            $"allocated-to={SandboxLabels.OwnerValue("anna")}", "app=kata-manager", "container-type=sandbox", "managed-by=CodeSandbox-Manager",
            "pool-status=allocated", "runtime=kata", "team=blue",
        ]);
        pool.Executors.Calls.ShouldBe(1, "It is born claimed.");
    }

    [Fact]
    public async Task A_sandbox_of_the_pool_is_taken_before_one_is_created()
    {
        await using var pool = await PoolCore.UnledAsync(1);

        (await pool.ClaimAsync(Creating)).Uid.ShouldBe(pool.Backend.Sandboxes[0].Uid);
    }

    [Fact]
    public async Task One_that_was_created_for_a_claim_and_fails_is_told_with_the_reason()
    {
        await using var pool = await PoolCore.FilledAsync(0);
        pool.Backend.IsReadyAtOnce = false;
        var claim = pool.ClaimAsync(Creating);
        await pool.UntilAsync(statistics => statistics.Total == 1);
        pool.Backend.Set(pool.Backend.Sandboxes[0].Name, sandbox => sandbox with { Phase = SandboxPhase.Failed, Message = "It crashed." });

        (await ExhaustedAsync(claim)).Message.ShouldContain("It crashed.");
    }

    [Fact]
    public async Task A_limit_is_told_as_a_limit()
    {
        await using var pool = await PoolCore.FilledAsync(0, new SandboxOptions { MaxTotalContainers = 1 });
        await pool.ClaimAsync(Creating);

        (await Should.ThrowAsync<SandboxException>(pool.ClaimAsync(Creating))).Code.ShouldBe(ErrorCodes.LimitReached);
    }

    [Theory]
    [InlineData(null, 0)]
    [InlineData("job 1", 1)]
    public async Task One_whose_caller_went_while_it_was_created_is_deleted_unless_the_claim_can_be_made_again(string? claimId, int left)
    {
        await using var pool = await PoolCore.FilledAsync(0);
        pool.Backend.IsReadyAtOnce = false;
        using var caller = new CancellationTokenSource();
        var claim = pool.ClaimAsync(Creating with { ClaimId = claimId }, caller.Token);
        await pool.UntilAsync(statistics => statistics.Total == 1);

        await caller.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(claim);

        await pool.UntilAsync(statistics => statistics.Total == left);
        if (claimId is null) return;
        var again = pool.ClaimAsync(Creating with { ClaimId = claimId });
        pool.Backend.MakeReady(pool.Backend.Sandboxes[0].Name);
        (await again).Uid.ShouldBe(pool.Backend.Sandboxes.ShouldHaveSingleItem().Uid);
    }

    [Fact]
    public async Task Of_two_that_were_created_at_once_ours_stays_where_the_other_was_deleted_for_it()
    {
        await using var pool = await PoolCore.FilledAsync(0);
        SandboxSpec? theirs = null;
        pool.Backend.BeforeCreate = async spec =>
        {
            if (theirs is not null) return;
            theirs = spec with { Name = new SandboxNames(pool.Core.Options).New(), Nonce = SandboxTokens.NewNonce(), CreatedAt = spec.CreatedAt.AddSeconds(1) };
            await pool.Backend.CreateAsync(theirs, default);
        };
        pool.Executors.Instead = async (_, call) =>
        {
            // The other Manager has seen ours; and a sandbox that is being deleted goes on answering for a moment.
            pool.Backend.Remove(theirs!.Name);
            await call.AnswerAsync("409 Conflict", Problem.MediaType, """{"code":"already_claimed"}""");
            return true;
        };

        var claimed = await pool.ClaimAsync(Creating with { ClaimId = "job 1" });

        pool.Backend.Sandboxes.ShouldHaveSingleItem().Uid.ShouldBe(claimed.Uid);
    }

    [Fact]
    public async Task Who_waits_for_what_an_earlier_try_has_created_may_leave()
    {
        await using var pool = await PoolCore.FilledAsync(0);
        pool.Backend.IsReadyAtOnce = false;
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        var claim = pool.ClaimAsync(Creating with { ClaimId = "job 1" }, first.Token);
        await pool.UntilAsync(statistics => statistics.Total == 1);
        await first.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(claim);

        var again = pool.ClaimAsync(Creating with { ClaimId = "job 1" }, second.Token);
        await Patience.UntilAsync(() => pool.Backend.Lists == 3, () => "It has not looked for the earlier try.");
        await second.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(again);
        pool.Backend.Sandboxes.ShouldHaveSingleItem().IsDeleting.ShouldBeFalse();
    }

    [Fact]
    public async Task A_create_for_a_claim_that_was_not_answered_is_found_when_the_claim_is_made_again()
    {
        await using var pool = await PoolCore.FilledAsync(0);
        SandboxSpec? lost = null;
        pool.Backend.BeforeCreate = spec =>
        {
            lost = spec;
            throw new BackendUnavailableException("no answer") { MayHaveHappened = true };
        };
        await Should.ThrowAsync<BackendUnavailableException>(pool.ClaimAsync(Creating with { ClaimId = "job 1" }));
        pool.Backend.BeforeCreate = _ => Task.CompletedTask;
        await pool.Backend.CreateAsync(lost!, default);

        (await pool.ClaimAsync(Creating with { ClaimId = "job 1" })).Name.ShouldBe(lost!.Name);
    }

    // All of the pool as not ready, so that a test makes each ready when it wants to.
    private static async Task<IReadOnlyList<Sandbox>> WarmsTakenOutAsync(PoolCore pool)
    {
        var all = pool.Backend.Sandboxes;
        foreach (var sandbox in all) pool.Backend.Set(sandbox.Name, seen => seen with { IsReady = false });
        await pool.UntilAsync(statistics => statistics.Warm == 0);
        return all;
    }

    private static async Task<SandboxException> ExhaustedAsync(Task claim)
    {
        var error = await Should.ThrowAsync<SandboxException>(claim);
        error.Code.ShouldBe(ErrorCodes.PoolExhausted);
        return error;
    }
}
