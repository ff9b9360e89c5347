using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>A claim with an id that is made again, on the same Manager or another, gives the same sandbox.</summary>
public sealed class RepeatedClaimTests : IAsyncLifetime
{
    private static readonly AllocateRequest Request = new() { UserId = "anna", ClaimId = "job 1" };

    private PoolCore _pool = null!;
    private Core _other = null!;

    public async Task InitializeAsync()
    {
        _pool = await PoolCore.UnledAsync(4);
        _other = await Core.StartAsync(beside: _pool.Core);
    }

    public async Task DisposeAsync()
    {
        await _other.DisposeAsync();
        await _pool.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_claim_made_again_gives_the_same_sandbox(bool onAnother)
    {
        var first = await _pool.ClaimAsync(Request);
        _pool.Backend.Lists.ShouldBe(2, "Before its write and after it.");

        var second = await ClaimAsync(onAnother ? _other : _pool.Core);

        second.Uid.ShouldBe(first.Uid);
        Owned().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Another_id_and_another_user_get_others()
    {
        var first = await _pool.ClaimAsync(Request);
        var second = await _pool.ClaimAsync(Request with { ClaimId = "job 2" });
        var third = await _pool.ClaimAsync(Request with { UserId = "bert" });

        new[] { first.Uid, second.Uid, third.Uid }.Distinct().Count().ShouldBe(3);
    }

    [Fact]
    public async Task A_claim_made_again_is_a_use_so_a_delete_that_was_judged_before_fails()
    {
        var first = await _pool.ClaimAsync(Request);
        var judged = _pool.Recorded(first);
        _pool.Clock.Advance(TimeSpan.FromMinutes(1));

        (await ClaimAsync(_other)).LastActivity.ShouldBe(_pool.Clock.GetUtcNow());

        await Should.ThrowAsync<SandboxConflictException>(() => _pool.Backend.DeleteAsync(judged, DeleteCondition.SameVersion, default));
    }

    [Fact]
    public async Task A_claim_that_was_written_and_never_answered_is_finished_by_the_next_try()
    {
        var written = await _pool.Backend.ChangeAsync(
            _pool.Backend.Sandboxes[0],
            new SandboxChange { PoolStatus = PoolStatus.Allocated, Owner = "anna", ClaimId = "job 1", AllocatedAt = _pool.Clock.GetUtcNow() },
            ChangeCondition.StillWarm, default);

        (await ClaimAsync(_other)).Uid.ShouldBe(written.Uid);

        _pool.Executors.Claims.Keys.ShouldBe([_pool.TokenOf(written)]);
    }

    [Fact]
    public async Task A_sandbox_of_the_claim_that_has_ended_or_is_deleted_is_not_given_again()
    {
        var first = await _pool.ClaimAsync(Request);
        await _pool.Core.Service.DeleteAsync(first.Name, default);
        var second = await _pool.ClaimAsync(Request);
        _pool.Backend.Set(second.Name, sandbox => sandbox with { Phase = SandboxPhase.Failed });
        var third = await _pool.ClaimAsync(Request);

        new[] { first.Uid, second.Uid, third.Uid }.Distinct().Count().ShouldBe(3);
    }

    [Fact]
    public async Task Of_twenty_tries_at_once_by_two_Managers_all_get_the_same_and_one_is_left()
    {
        var tries = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => ClaimAsync(i % 2 == 0 ? _other : _pool.Core))));

        tries.Select(sandbox => sandbox.Uid).Distinct().ShouldHaveSingleItem();
        await Patience.UntilAsync(() => Owned().Count == 1, () => $"{Owned().Count} are left.");
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(-1, false)]
    public async Task Of_two_that_were_written_at_once_the_earlier_stays(int secondsLater, bool oursStays)
    {
        // Another Manager's, written between our list and our write, and not opened yet.
        var theirs = WriteAnotherBeforeOurs(secondsLater);

        var claimed = await _pool.ClaimAsync(Request);

        (claimed.Uid == (await theirs).Uid).ShouldBe(!oursStays);
        await Patience.UntilAsync(() => Owned().Count == 1, () => $"{Owned().Count} are left.");
        Owned()[0].Uid.ShouldBe(claimed.Uid);
    }

    [Fact]
    public async Task A_later_one_stays_that_was_answered_before_ours_was_there_to_be_seen()
    {
        var theirs = WriteAnotherBeforeOurs(secondsLater: 1, isOpened: true);

        var claimed = await _pool.ClaimAsync(Request);

        claimed.Uid.ShouldBe((await theirs).Uid);
        await Patience.UntilAsync(() => Owned().Count == 1, () => $"{Owned().Count} are left.");
    }

    [Fact]
    public async Task Who_finds_ours_opened_by_one_that_has_an_earlier_gets_that()
    {
        Sandbox? theirs = null;
        _pool.Executors.Instead = async (token, call) =>
        {
            if (theirs is not null) return false;
            // Ours is written and seen; the other Manager's comes now, is earlier, and has closed ours.
            theirs = await WriteAsync(_pool.Clock.GetUtcNow().AddSeconds(-1));
            await call.AnswerAsync("409 Conflict", Problem.MediaType, "{}", $"{ExecutorProtocol.SameClaimHeader}: true\r\n");
            return true;
        };

        (await _pool.ClaimAsync(Request)).Uid.ShouldBe(theirs!.Uid);
        await Patience.UntilAsync(() => Owned().Count == 1, () => $"{Owned().Count} are left.");
    }

    [Fact]
    public async Task What_another_try_has_given_out_already_is_not_given_up_for_an_earlier_one()
    {
        // Between our write and our look: a third try takes ours up, as each does by recording a use, and an earlier one turns up.
        var looks = 0;
        _pool.Backend.BeforeRead = async () =>
        {
            if (++looks != 2) return;
            var ours = Owned().Single();
            _pool.Backend.Set(ours.Name, sandbox => sandbox with { LastActivity = _pool.Clock.GetUtcNow() });
            _pool.Executors.Open(_pool.TokenOf(ours), new ClaimRequest { Owner = Request.UserId, ClaimId = Request.ClaimId });
            await WriteAsync(_pool.Clock.GetUtcNow().AddSeconds(-1));
        };

        var claimed = await _pool.ClaimAsync(Request);

        _pool.Recorded(claimed).LastActivity.ShouldNotBeNull();
        claimed.AllocatedAt.ShouldBe(_pool.Clock.GetUtcNow());
    }

    [Fact]
    public async Task A_sandbox_that_another_claim_has_opened_is_not_given_although_it_is_shown_as_warm()
    {
        await using var pool = await PoolCore.UnledAsync(2);
        var opened = pool.Backend.Sandboxes[0];
        pool.Executors.Open(pool.TokenOf(opened), new ClaimRequest { Owner = "bert", ClaimId = Request.ClaimId });

        var claims = new[] { await pool.ClaimAsync(Request), await pool.ClaimAsync(Request) };

        claims.ShouldAllBe(claimed => claimed.Uid != opened.Uid);
    }

    [Fact]
    public async Task A_claim_with_an_id_goes_on_without_its_caller()
    {
        using var caller = new CancellationTokenSource();
        _pool.Executors.Instead = async (_, _) =>
        {
            await caller.CancelAsync();
            return false;
        };

        var first = await _pool.ClaimAsync(Request, caller.Token);

        (await ClaimAsync(_other)).Uid.ShouldBe(first.Uid);
    }

    [Fact]
    public async Task A_sandbox_in_use_that_does_not_answer_is_not_taken_from_its_owner()
    {
        var first = await _pool.ClaimAsync(Request);
        _pool.Backend.Set(first.Name, sandbox => sandbox with { LastActivity = _pool.Clock.GetUtcNow() });
        _pool.Executors.Instead = (_, call) =>
        {
            call.Cut();
            return Task.FromResult(true);
        };

        (await Should.ThrowAsync<SandboxException>(ClaimAsync(_other))).Code.ShouldBe(ErrorCodes.ExecutorUnreachable);

        Owned().ShouldHaveSingleItem().Uid.ShouldBe(first.Uid);
    }

    [Fact]
    public async Task Nor_is_one_whose_use_is_recorded_nowhere_for_a_command_of_its_first_seconds_still_runs()
    {
        var first = await _pool.ClaimAsync(Request);
        _pool.Clock.Advance(TimeSpan.FromMinutes(1));
        _pool.Executors.Instead = (_, call) =>
        {
            call.Cut();
            return Task.FromResult(true);
        };

        (await Should.ThrowAsync<SandboxException>(ClaimAsync(_other))).Code.ShouldBe(ErrorCodes.ExecutorUnreachable);

        Owned().ShouldHaveSingleItem().Uid.ShouldBe(first.Uid);
    }

    [Fact]
    public async Task A_try_whose_opening_breaks_leaves_alone_what_another_try_has_opened_meanwhile()
    {
        var held = new TaskCompletionSource<ExecutorCall>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pool.Executors.Instead = (_, call) => Task.FromResult(held.TrySetResult(call));
        var first = _pool.ClaimAsync(Request);
        var opening = await held.Task.WaitAsync(Patience.Limit);
        var answered = await ClaimAsync(_other);

        opening.Cut();

        (await first).Uid.ShouldBe(answered.Uid);
        await Patience.UntilAsync(() => Owned().Count == 1, () => $"{Owned().Count} are left.");
        Owned()[0].Uid.ShouldBe(answered.Uid);
    }

    [Fact]
    public async Task A_try_whose_opening_breaks_gets_the_next_sandbox_and_leaves_none_behind()
    {
        var broken = false;
        _pool.Executors.Instead = (_, call) =>
        {
            if (broken) return Task.FromResult(false);
            call.Cut();
            return Task.FromResult(broken = true);
        };

        var claimed = await _pool.ClaimAsync(Request);

        await Patience.UntilAsync(() => Owned().Count == 1, () => $"{Owned().Count} are left.");
        Owned()[0].Uid.ShouldBe(claimed.Uid);
    }

    [Fact]
    public async Task A_sandbox_past_its_lifetime_is_not_given_again()
    {
        var request = Request with { TimeoutSeconds = 60 };
        var first = await _pool.ClaimAsync(request);
        _pool.Clock.Advance(TimeSpan.FromMinutes(1));

        (await _pool.ClaimAsync(request)).Uid.ShouldNotBe(first.Uid);
    }

    private static Task<Sandbox> ClaimAsync(Core core) => core.Pool.ClaimAsync(Request, CancellationToken.None).WaitAsync(Patience.Limit);

    private List<Sandbox> Owned() => [.. _pool.Backend.Sandboxes.Where(sandbox => sandbox.Owner == "anna")];

    private Task<Sandbox> WriteAnotherBeforeOurs(int secondsLater, bool isOpened = false)
    {
        var written = new TaskCompletionSource<Sandbox>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pool.Backend.BeforeChange = async (seen, _) =>
        {
            _pool.Backend.BeforeChange = (_, _) => Task.CompletedTask;
            var theirs = await WriteAsync(_pool.Clock.GetUtcNow().AddSeconds(secondsLater), except: seen.Uid);
            if (isOpened) _pool.Executors.Open(_pool.TokenOf(theirs), new ClaimRequest { Owner = Request.UserId, ClaimId = Request.ClaimId });
            written.SetResult(theirs);
        };
        return written.Task;
    }

    private Task<Sandbox> WriteAsync(DateTimeOffset at, string? except = null) => _pool.Backend.ChangeAsync(
        _pool.Backend.Sandboxes.First(sandbox => sandbox.PoolStatus == PoolStatus.Warm && sandbox.Uid != except),
        new SandboxChange { PoolStatus = PoolStatus.Allocated, Owner = "anna", ClaimId = "job 1", AllocatedAt = at },
        ChangeCondition.StillWarm, default);
}
