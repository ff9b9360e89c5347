using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Testing.Backends;

/// <summary>What makes a sandbox somebody's, and finds it again.</summary>
public abstract partial class SandboxBackendContract
{
    private static readonly DateTimeOffset At = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    /// <summary>User ids as callers may have them; no two are the same.</summary>
    public static IEnumerable<string> Owners =>
    [
        "u", "U", " u", "user@example.org", "\"quoted\" 'twice'", "a/b/../c~1d~0", @"back\slash", "Jürgen Groß", "日本語 😀", "$(HOME) %2F &amp; <b>",
        "{\"json\":1}", "=,!in (a)", new string('x', 256), new string('x', 255), new string('ü', 256),
    ];

    [Fact]
    public async Task Of_ten_claims_at_once_one_wins_although_the_sandbox_changes_meanwhile()
    {
        var seen = await Backend.CreateReadyAsync(Specs.New(PoolStatus.Warm));
        var stale = await Backend.ChangeAsync(seen, new SandboxChange { LastActivity = At }, ChangeCondition.SameVersion, CancellationToken.None);

        var uses = Task.WhenAll(Enumerable.Range(0, 10).Select(minute => TryAsync(stale, new SandboxChange { LastActivity = At.AddMinutes(minute) }, ChangeCondition.SameVersion)));
        var claims = await Task.WhenAll(Enumerable.Range(0, 10).Select(user => TryAsync(seen, ClaimOf($"user-{user}"), ChangeCondition.StillWarm)));
        await uses;

        var won = claims.OfType<Sandbox>().ShouldHaveSingleItem();
        var read = (await Backend.ReadAsync(seen.Name, CancellationToken.None)).ShouldNotBeNull();
        (read.Owner, read.PoolStatus, read.AllocatedAt).ShouldBe((won.Owner, PoolStatus.Allocated, At));
        read.LastActivity.ShouldNotBeNull();
        await Backend.DeleteGoneAsync(won);
    }

    [Fact]
    public async Task What_is_not_warm_any_more_cannot_be_claimed()
    {
        var manual = await Backend.CreateReadyAsync();
        var spec = Specs.New(PoolStatus.Warm);
        var replaced = await Backend.CreateReadyAsync(spec);
        await Backend.DeleteGoneAsync(replaced);
        var successor = await Backend.CreateReadyAsync(spec);

        (await TryAsync(manual, ClaimOf("u"), ChangeCondition.StillWarm)).ShouldBeNull();
        (await TryAsync(replaced, ClaimOf("u"), ChangeCondition.StillWarm)).ShouldBeNull();
        var claimed = await Backend.ChangeAsync(successor, ClaimOf("first"), ChangeCondition.StillWarm, CancellationToken.None);
        (await TryAsync(successor, ClaimOf("second"), ChangeCondition.StillWarm)).ShouldBeNull();
        (await TryAsync(claimed, ClaimOf("second"), ChangeCondition.StillWarm)).ShouldBeNull();

        (await Backend.ReadAsync(claimed.Name, CancellationToken.None)).ShouldNotBeNull().Owner.ShouldBe("first");
        await Task.WhenAll(Backend.DeleteGoneAsync(manual), Backend.DeleteGoneAsync(claimed));
        (await TryAsync(claimed, ClaimOf("third"), ChangeCondition.StillWarm)).ShouldBeNull();
    }

    [Fact]
    public async Task A_claim_of_what_is_being_deleted_conflicts_or_shows_that_it_is()
    {
        var sandbox = await Backend.CreateReadyAsync(Specs.New(PoolStatus.Warm));
        (await Backend.DeleteAsync(sandbox, DeleteCondition.SameUid, CancellationToken.None)).ShouldBeTrue();

        var claimed = await TryAsync(sandbox, ClaimOf("u"), ChangeCondition.StillWarm);
        var used = await TryAsync(sandbox, new SandboxChange { LastActivity = At }, ChangeCondition.SameVersion);

        (claimed is null or { IsDeleting: true, IsReady: false }).ShouldBeTrue();
        (used is null or { IsDeleting: true, IsReady: false }).ShouldBeTrue();
        (await Backend.UntilAsync(sandbox.Name, state => state is null)).ShouldBeNull();
    }

    [Fact]
    public async Task A_delete_of_the_pools_surplus_loses_against_a_claim_that_came_first()
    {
        var judged = await Backend.CreateReadyAsync(Specs.New(PoolStatus.Warm));
        var claimed = await Backend.ChangeAsync(judged, ClaimOf("u"), ChangeCondition.StillWarm, CancellationToken.None);

        await Should.ThrowAsync<SandboxConflictException>(() => Backend.DeleteAsync(judged, DeleteCondition.SameVersion, CancellationToken.None));

        (await Backend.AskAsync(claimed, HttpMethod.Post, "api/claim", """{"owner":"u"}""")).Status.ShouldBe(200);
        (await Backend.RunAsync(claimed, "echo alive")).Output.ShouldBe("alive\n");
        await Backend.DeleteGoneAsync(claimed);
    }

    [Fact]
    public async Task All_that_a_claim_says_is_read_listed_and_watched_as_it_was_written()
    {
        var warm = await Backend.CreateReadyAsync(Specs.New(PoolStatus.Warm) with { Epoch = 7 });
        (warm.Epoch, warm.PoolStatus, warm.Owner, warm.ClaimId, warm.Lifetime, warm.AllocatedAt, warm.LastActivity)
            .ShouldBe((7, PoolStatus.Warm, null, null, null, null, null));
        const string Owner = "\"Jürgen\" / 日本 😀";
        const string ClaimId = "claim ~1/0 'x' ß";
        var claim = ClaimOf(Owner) with { ClaimId = ClaimId, Lifetime = TimeSpan.FromSeconds(901), LastActivity = At.AddSeconds(1), Labels = new Dictionary<string, string> { ["example.org/tier"] = "gold" } };

        var claimed = await Backend.ChangeAsync(warm, claim, ChangeCondition.StillWarm, CancellationToken.None);

        var watched = await Backend.UntilAsync(warm.Name, sandbox => sandbox is { PoolStatus: PoolStatus.Allocated });
        foreach (var shown in (Sandbox?[])[claimed, watched, await Backend.ReadAsync(warm.Name, CancellationToken.None), .. await Backend.ListOwnedAsync(Owner, CancellationToken.None)])
        {
            (shown!.Uid, shown.Version, shown.IsReady).ShouldBe((warm.Uid, claimed.Version, true));
            (shown.Owner, shown.ClaimId, shown.Lifetime, shown.Epoch).ShouldBe((Owner, ClaimId, TimeSpan.FromSeconds(901), 7));
            (shown.PoolStatus, shown.AllocatedAt, shown.LastActivity).ShouldBe((PoolStatus.Allocated, At, At.AddSeconds(1)));
            (shown.Labels["example.org/tier"], shown.Labels["team"]).ShouldBe(("gold", "red"));
            (shown.Labels[SandboxLabels.PoolStatus], shown.Labels[SandboxLabels.AllocatedTo]).ShouldBe(("allocated", SandboxLabels.OwnerValue(Owner)));
        }

        await Backend.DeleteGoneAsync(claimed);
    }

    [Fact]
    public async Task An_owner_is_found_by_any_id_and_nobody_is_shown_anothers()
    {
        var others = await Backend.CreateReadyAsync(Specs.New(PoolStatus.Allocated) with { Owner = "other" });
        var sandbox = await Backend.CreateReadyAsync(Specs.New(PoolStatus.Warm));
        (await Backend.ListOwnedAsync("", CancellationToken.None)).ShouldBeEmpty();
        foreach (var owner in Owners)
        {
            sandbox = await Backend.ChangeAsync(sandbox, new SandboxChange { Owner = owner }, ChangeCondition.SameVersion, CancellationToken.None);
            foreach (var asked in Owners)
                (await Backend.ListOwnedAsync(asked, CancellationToken.None)).Select(found => found.Uid).ShouldBe(asked == owner ? [sandbox.Uid] : [], asked);
        }

        (await Backend.ListOwnedAsync("other", CancellationToken.None)).ShouldHaveSingleItem().Uid.ShouldBe(others.Uid);
        await Task.WhenAll(Backend.DeleteGoneAsync(sandbox), Backend.DeleteGoneAsync(others));
        (await Backend.ListOwnedAsync("other", CancellationToken.None)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_sandbox_born_with_an_owner_is_its_own_at_once()
    {
        var start = new SandboxStart { Environment = new Dictionary<string, string> { ["GREETING"] = "hello" } };
        var spec = Specs.New(PoolStatus.Allocated, start: start) with { Owner = "Jürgen", ClaimId = "c1", Lifetime = TimeSpan.FromMinutes(3) };

        var sandbox = await Backend.CreateReadyAsync(spec);

        (sandbox.PoolStatus, sandbox.Owner, sandbox.ClaimId, sandbox.Lifetime, sandbox.Epoch).ShouldBe((PoolStatus.Allocated, "Jürgen", "c1", TimeSpan.FromMinutes(3), null));
        sandbox.AllocatedAt.ShouldNotBeNull().ShouldBe(spec.CreatedAt, TimeSpan.FromSeconds(1));
        (await Backend.RunAsync(sandbox, "echo $GREETING")).Output.ShouldBe("hello\n");
        (await Backend.AskAsync(sandbox, HttpMethod.Post, "api/claim", """{"owner":"Jürgen"}""")).Body.ShouldContain(ErrorCodes.AlreadyClaimed);
        (await TryAsync(sandbox, ClaimOf("u"), ChangeCondition.StillWarm)).ShouldBeNull();
        (await Backend.ListOwnedAsync("Jürgen", CancellationToken.None)).ShouldHaveSingleItem().Uid.ShouldBe(sandbox.Uid);
        await Backend.DeleteGoneAsync(sandbox);
    }

    [Fact]
    public async Task A_sandbox_of_the_pool_runs_nothing_until_it_is_claimed_once_and_then_with_the_claims_environment()
    {
        var sandbox = await Backend.CreateReadyAsync(Specs.New(PoolStatus.Warm));

        var (status, body) = await Backend.AskAsync(sandbox, HttpMethod.Post, "api/execute", """{"command":"true"}""");
        status.ShouldBe(409);
        body.ShouldContain(ErrorCodes.NotClaimed);
        (await Backend.AskAsync(sandbox, HttpMethod.Get, "api/stats")).Body.ShouldContain(ErrorCodes.NotClaimed);

        (await Backend.AskAsync(sandbox, HttpMethod.Post, "api/claim", """{"owner":"u","environment":{"GREETING":"a \"b\" $c"}}""")).Status.ShouldBe(200);
        var (again, refusal) = await Backend.AskAsync(sandbox, HttpMethod.Post, "api/claim", """{"owner":"v","environment":{"GREETING":"stolen"}}""");
        again.ShouldBe(409);
        refusal.ShouldContain(ErrorCodes.AlreadyClaimed);

        (await Backend.RunAsync(sandbox, "echo \"$GREETING\"")).Output.ShouldBe("a \"b\" $c\n");
        await Backend.DeleteGoneAsync(sandbox);
    }

    private static SandboxChange ClaimOf(string owner) => new() { PoolStatus = PoolStatus.Allocated, Owner = owner, AllocatedAt = At };

    private async Task<Sandbox?> TryAsync(Sandbox seen, SandboxChange change, ChangeCondition condition)
    {
        try
        {
            return await Backend.ChangeAsync(seen, change, condition, CancellationToken.None);
        }
        catch (SandboxConflictException)
        {
            return null;
        }
    }
}
