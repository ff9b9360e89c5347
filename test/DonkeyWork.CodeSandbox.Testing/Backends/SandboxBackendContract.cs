using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Testing.Backends;

/// <summary>What every backend has to do, with real sandboxes. A backend's tests derive from it.</summary>
public abstract partial class SandboxBackendContract
{
    /// <summary>The backend under test, ready for use.</summary>
    protected abstract ISandboxBackend Backend { get; }

    [Fact]
    public async Task A_created_sandbox_becomes_ready_and_its_executor_answers()
    {
        var spec = Specs.New();

        var accepted = await Backend.CreateAsync(spec, CancellationToken.None);
        var ready = (await Backend.UntilAsync(spec.Name, sandbox => sandbox is { IsReady: true } or { Phase: SandboxPhase.Failed }))!;

        accepted.Phase.ShouldBe(SandboxPhase.Pending);
        accepted.IsReady.ShouldBeFalse();
        ready.Phase.ShouldBe(SandboxPhase.Running, ready.Message);
        (ready.Name, ready.Uid, ready.Nonce, ready.Template).ShouldBe((spec.Name, accepted.Uid, spec.Nonce, spec.Template));
        ready.Labels["team"].ShouldBe("red");
        ready.Resources.ShouldBe(spec.Resources);
        ready.CreatedAt.ShouldBe(spec.CreatedAt, TimeSpan.FromSeconds(1));
        ready.LimitsEnforced.ShouldBeTrue();
        (await Backend.AskAsync(ready, HttpMethod.Get, "healthz", withToken: false)).Status.ShouldBe(200);
        (await Backend.ReadAsync(spec.Name, CancellationToken.None)).ShouldNotBeNull().Uid.ShouldBe(ready.Uid);
        await Backend.DeleteGoneAsync(ready);
    }

    [Fact]
    public async Task The_executor_serves_only_who_has_the_sandboxes_token()
    {
        var sandbox = await Backend.CreateReadyAsync();

        (await Backend.AskAsync(sandbox, HttpMethod.Get, "api/stats", withToken: false)).Status.ShouldBe(401);
        (await Backend.AskAsync(sandbox, HttpMethod.Get, "api/stats")).Status.ShouldBe(200);

        await Backend.DeleteGoneAsync(sandbox);
    }

    [Fact]
    public async Task The_environment_of_the_request_reaches_commands_and_nothing_of_the_executors_own_does()
    {
        var start = new SandboxStart { Environment = new Dictionary<string, string> { ["GREETING"] = "a \"b\" $c" } };
        var sandbox = await Backend.CreateReadyAsync(Specs.New(start: start));

        var (_, _, output) = await Backend.RunAsync(sandbox, "echo \"$GREETING\"; env | grep CODESANDBOX");

        output.ShouldBe("a \"b\" $c\n");
        await Backend.DeleteGoneAsync(sandbox);
    }

    [Fact]
    public async Task A_name_is_given_once()
    {
        var spec = Specs.New();

        var attempts = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            try
            {
                return await Backend.CreateAsync(spec, CancellationToken.None);
            }
            catch (SandboxExistsException)
            {
                return null;
            }
        }));

        var created = attempts.OfType<Sandbox>().ShouldHaveSingleItem();
        await Backend.DeleteGoneAsync(created);
    }

    [Fact]
    public async Task A_watch_begins_with_all_there_is_and_every_watcher_is_told_what_follows()
    {
        var before = await Backend.CreateReadyAsync();
        using var limit = new CancellationTokenSource(Patience.Limit);
        var first = Backend.WatchAsync(limit.Token).GetAsyncEnumerator(limit.Token);
        var second = Backend.WatchAsync(limit.Token).GetAsyncEnumerator(limit.Token);
        foreach (var watch in (IAsyncEnumerator<SandboxObservation>[])[first, second])
        {
            (await watch.MoveNextAsync()).ShouldBeTrue();
            watch.Current.ShouldBeOfType<SandboxListed>().Sandboxes.ShouldContain(sandbox => sandbox.Uid == before.Uid);
        }

        var later = await Backend.CreateReadyAsync();
        await Backend.DeleteGoneAsync(later);

        foreach (var watch in (IAsyncEnumerator<SandboxObservation>[])[first, second])
        {
            var told = new List<string>();
            while (told.LastOrDefault() != "gone" && await watch.MoveNextAsync())
            {
                if (watch.Current is SandboxChanged { Sandbox: var changed } && changed.Uid == later.Uid)
                    told.Add(changed.IsDeleting ? "deleting" : $"{changed.Phase}");
                if (watch.Current is SandboxGone { Sandbox: var gone } && gone.Uid == later.Uid)
                    told.Add("gone");
            }

            told.Distinct().ShouldBe(["Pending", "Running", "deleting", "gone"]);
            await watch.DisposeAsync();
        }

        await Backend.DeleteGoneAsync(before);
    }

    [Fact]
    public async Task A_change_sets_what_it_names_and_leaves_the_rest()
    {
        var sandbox = await Backend.CreateReadyAsync(Specs.New(PoolStatus.Warm));
        var at = new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

        var changed = await Backend.ChangeAsync(
            sandbox,
            new SandboxChange
            {
                LastActivity = at,
                AllocatedAt = at,
                Owner = "user@example.org",
                PoolStatus = PoolStatus.Allocated,
                Labels = new Dictionary<string, string> { ["more"] = "yes" },
            },
            ChangeCondition.SameVersion,
            CancellationToken.None);
        var again = await Backend.ChangeAsync(changed, new SandboxChange { LastActivity = at.AddHours(1) }, ChangeCondition.SameVersion, CancellationToken.None);

        changed.Version.ShouldNotBe(sandbox.Version);
        (again.Owner, again.PoolStatus, again.AllocatedAt, again.LastActivity).ShouldBe(("user@example.org", PoolStatus.Allocated, at, at.AddHours(1)));
        (again.Labels["team"], again.Labels["more"], again.IsReady, again.Uid).ShouldBe(("red", "yes", true, sandbox.Uid));
        (await Backend.ReadAsync(sandbox.Name, CancellationToken.None)).ShouldNotBeNull().Version.ShouldBe(again.Version);
        await Backend.DeleteGoneAsync(again);
    }

    [Fact]
    public async Task Of_many_changes_of_the_same_state_one_is_made()
    {
        var sandbox = await Backend.CreateReadyAsync(Specs.New(PoolStatus.Warm));

        var winners = (await Task.WhenAll(Enumerable.Range(0, 16).Select(async user =>
        {
            try
            {
                return await Backend.ChangeAsync(sandbox, new SandboxChange { Owner = $"user-{user}" }, ChangeCondition.SameVersion, CancellationToken.None);
            }
            catch (SandboxConflictException)
            {
                return null;
            }
        }))).OfType<Sandbox>().ToList();

        var winner = winners.ShouldHaveSingleItem();
        (await Backend.ReadAsync(sandbox.Name, CancellationToken.None)).ShouldNotBeNull().Owner.ShouldBe(winner.Owner);
        await Backend.DeleteGoneAsync(winner);
    }

    [Fact]
    public async Task What_is_gone_cannot_be_changed_deleted_read_or_reached()
    {
        var sandbox = await Backend.CreateReadyAsync();
        await Backend.DeleteGoneAsync(sandbox);

        await Should.ThrowAsync<SandboxConflictException>(() => Backend.ChangeAsync(sandbox, new SandboxChange { Owner = "u" }, ChangeCondition.SameVersion, CancellationToken.None));
        (await Backend.DeleteAsync(sandbox, DeleteCondition.SameUid, CancellationToken.None)).ShouldBeFalse();
        (await Backend.ReadAsync(sandbox.Name, CancellationToken.None)).ShouldBeNull();
        await Should.ThrowAsync<HttpRequestException>(() => Backend.AskAsync(sandbox, HttpMethod.Get, "healthz"));
    }

    [Fact]
    public async Task A_sweepers_delete_spares_what_has_changed_since_it_was_judged()
    {
        var judged = await Backend.CreateReadyAsync();
        var used = await Backend.ChangeAsync(judged, new SandboxChange { LastActivity = TimeProvider.System.GetUtcNow() }, ChangeCondition.SameVersion, CancellationToken.None);

        await Should.ThrowAsync<SandboxConflictException>(() => Backend.DeleteAsync(judged, DeleteCondition.SameVersion, CancellationToken.None));

        (await Backend.RunAsync(used, "echo alive")).Output.ShouldBe("alive\n");
        (await Backend.DeleteAsync(used, DeleteCondition.SameVersion, CancellationToken.None)).ShouldBeTrue();
        (await Backend.UntilAsync(used.Name, state => state is null)).ShouldBeNull();
    }

    [Fact]
    public async Task A_callers_delete_is_for_the_sandbox_that_it_saw_and_not_for_a_later_one_of_that_name()
    {
        var sandbox = await Backend.CreateReadyAsync();

        await Should.ThrowAsync<SandboxConflictException>(() => Backend.DeleteAsync(sandbox with { Uid = "another" }, DeleteCondition.SameUid, CancellationToken.None));

        (await Backend.RunAsync(sandbox, "echo alive")).Output.ShouldBe("alive\n");
        await Backend.DeleteGoneAsync(sandbox);
    }

    [Fact]
    public async Task Deletes_at_the_same_time_are_all_accepted_or_told_that_it_is_gone()
    {
        var sandbox = await Backend.CreateReadyAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Backend.DeleteAsync(sandbox, DeleteCondition.SameUid, CancellationToken.None)));

        answers.ShouldContain(true);
        (await Backend.UntilAsync(sandbox.Name, state => state is null)).ShouldBeNull();
    }

    [Fact]
    public async Task A_sandbox_deleted_while_it_starts_is_gone_and_its_name_is_free()
    {
        var spec = Specs.New();
        var accepted = await Backend.CreateAsync(spec, CancellationToken.None);

        (await Backend.DeleteAsync(accepted, DeleteCondition.SameUid, CancellationToken.None)).ShouldBeTrue();

        (await Backend.ReadAsync(spec.Name, CancellationToken.None) is null or { IsDeleting: true }).ShouldBeTrue();
        (await Backend.UntilAsync(spec.Name, state => state is null)).ShouldBeNull();
        await Backend.DeleteGoneAsync(await Backend.CreateReadyAsync(spec));
    }

    [Fact]
    public async Task Twenty_sandboxes_at_once_all_become_ready_and_run_their_own_commands()
    {
        var sandboxes = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Backend.CreateReadyAsync()));

        var outputs = await Task.WhenAll(sandboxes.Select(sandbox => Backend.RunAsync(sandbox, "hostname")));

        outputs.Select(output => output.Output.Trim()).ShouldBe(sandboxes.Select(sandbox => sandbox.Name));
        await Task.WhenAll(sandboxes.Select(Backend.DeleteGoneAsync));
    }
}
