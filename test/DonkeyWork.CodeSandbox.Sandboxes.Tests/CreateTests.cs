using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>What reaches the backend, how many, and under which names.</summary>
public sealed class CreateTests
{
    [Fact]
    public async Task A_backend_gets_a_complete_spec()
    {
        await using var core = await Core.StartAsync();

        await core.CreateAsync(new CreateSandboxRequest
        {
            Labels = new Dictionary<string, string> { ["team"] = "blue" },
            EnvironmentVariables = new Dictionary<string, string> { ["A"] = "1" },
            Command = ["sleep"],
            Args = ["1 h", ""],
        });

        var spec = core.Backend.Specs.ShouldHaveSingleItem();
        spec.Name.ShouldMatch("^kata-sandbox-[0-9a-f]{8}$");
        spec.Nonce.ShouldMatch("^[0-9a-f]{32}$");
        spec.TokenHash.ShouldBe(SandboxTokens.HashOf(core.Tokens.TokenOf(spec.Name, spec.Nonce)));
        spec.PoolStatus.ShouldBe(PoolStatus.Manual);
        spec.CreatedAt.ShouldBe(core.Clock.GetUtcNow());
        spec.Start.Argv.ShouldBe(["sleep", "1 h", ""]);
        spec.Start.Environment!["A"].ShouldBe("1");
        spec.Labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}").ShouldBe([
            "app=kata-manager", "container-type=sandbox", "managed-by=CodeSandbox-Manager", "pool-status=manual", "runtime=kata", "team=blue",
        ]);
    }

    [Fact]
    public async Task The_template_tells_resources_apart_and_nothing_else()
    {
        await using var core = await Core.StartAsync();
        await core.CreateAsync();
        await core.CreateAsync(new CreateSandboxRequest { Labels = new Dictionary<string, string> { ["a"] = "b" } });
        await core.CreateAsync(new CreateSandboxRequest { Resources = new ResourceRequirements { Limits = new ResourceQuantities { MemoryMi = 600 } } });

        var templates = core.Backend.Specs.Select(spec => spec.Template).ToList();
        templates[1].ShouldBe(templates[0]);
        templates[2].ShouldNotBe(templates[0]);
    }

    [Theory]
    [InlineData(10, 10)]
    [InlineData(100, 100)]
    public async Task Of_a_hundred_creates_at_once_as_many_succeed_as_the_limit_allows(int limit, int succeeding)
    {
        await using var core = await Core.StartAsync(new SandboxOptions { MaxTotalContainers = limit });
        // None returns before all that may have begun: a limit that looks only at what exists would let every one through.
        var begun = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        core.Backend.BeforeCreate = _ =>
        {
            if (Interlocked.Increment(ref begun) == succeeding) all.SetResult();
            return all.Task;
        };

        var creates = Enumerable.Range(0, 100).Select(_ => Task.Run(() => core.CreateAsync())).ToList();
        await Task.WhenAny(Task.WhenAll(creates)).WaitAsync(Patience.Limit);

        creates.Count(create => create.IsCompletedSuccessfully).ShouldBe(succeeding);
        creates.Where(create => create.IsFaulted).Select(create => ((SandboxException)create.Exception!.InnerException!).Code)
            .ShouldBe(Enumerable.Repeat(ErrorCodes.LimitReached, 100 - succeeding));
        core.Backend.Sandboxes.Count.ShouldBe(succeeding);
    }

    [Theory]
    [InlineData(5, 3, 3, "ResourceQuota three")]
    [InlineData(2, 3, 2, nameof(SandboxOptions.MaxTotalContainers))]
    public async Task Of_the_managers_limit_and_the_backends_the_smaller_holds_and_is_named(int ours, int theirs, int succeeding, string named)
    {
        await using var core = await Core.StartAsync(new SandboxOptions { MaxTotalContainers = ours });
        core.Backend.Limit = new SandboxLimit(theirs, "ResourceQuota three");
        for (var i = 0; i < succeeding; i++) await core.CreateAsync();

        var refused = await Should.ThrowAsync<SandboxException>(() => core.CreateAsync());

        refused.Code.ShouldBe(ErrorCodes.LimitReached);
        refused.Message.ShouldContain($"{succeeding} sandboxes ({named})");
        refused.RetryAfter.ShouldNotBeNull();
        core.Backend.Sandboxes.Count.ShouldBe(succeeding);
    }

    [Fact]
    public async Task A_limit_that_the_backend_finds_reached_is_told_in_its_words_and_gives_the_place_back()
    {
        await using var core = await Core.StartAsync(new SandboxOptions { MaxTotalContainers = 1 });
        core.Backend.BeforeCreate = _ => throw new SandboxLimitReachedException("exceeded quota: three");

        var refused = await Should.ThrowAsync<SandboxException>(() => core.CreateAsync());

        (refused.Code, refused.Message).ShouldBe((ErrorCodes.LimitReached, "exceeded quota: three"));
        core.Backend.BeforeCreate = _ => Task.CompletedTask;
        await core.CreateAsync();
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 1)]
    public async Task A_create_that_was_not_answered_is_deleted_when_it_turns_up_and_no_other_is(bool isOurs, int left)
    {
        await using var core = await Core.StartAsync();
        SandboxSpec? lost = null;
        core.Backend.BeforeCreate = spec =>
        {
            lost = spec;
            throw new BackendUnavailableException("no answer") { MayHaveHappened = true };
        };
        await Should.ThrowAsync<BackendUnavailableException>(() => core.CreateAsync());
        core.Backend.BeforeCreate = _ => Task.CompletedTask;

        await core.Backend.CreateAsync(isOurs ? lost! : lost! with { Nonce = "another" }, CancellationToken.None);
        var marker = await core.Backend.CreateAsync(lost! with { Name = "kata-sandbox-0000000c" }, CancellationToken.None);

        // Observed in order: when the later one is seen, so is the earlier.
        await core.ViewAsync(marker.Name, sandbox => sandbox is not null);
        if (isOurs) await core.ViewAsync(lost!.Name, sandbox => sandbox is null);
        await core.Tasks.StopAsync(CancellationToken.None);
        core.Backend.Sandboxes.Count(sandbox => sandbox.Name == lost!.Name).ShouldBe(left);
    }

    [Fact]
    public async Task A_create_that_failed_and_a_sandbox_that_was_deleted_give_their_places_back()
    {
        await using var core = await Core.StartAsync(new SandboxOptions { MaxTotalContainers = 1 });
        core.Backend.Outage = "unplugged";
        await Should.ThrowAsync<BackendUnavailableException>(() => core.CreateAsync());
        core.Backend.Outage = null;

        var first = await core.CreateAsync();
        (await Should.ThrowAsync<SandboxException>(() => core.CreateAsync())).Code.ShouldBe(ErrorCodes.LimitReached);
        await core.Service.DeleteAsync(first.Sandbox.Name, CancellationToken.None);

        await core.CreateAsync();
    }

    [Fact]
    public async Task A_name_that_is_taken_is_not_taken_twice()
    {
        await using var core = await Core.StartAsync();
        var names = new List<string>();
        core.Backend.BeforeCreate = spec =>
        {
            names.Add(spec.Name);
            return names.Count < 3 ? throw new SandboxExistsException(spec.Name) : Task.CompletedTask;
        };

        var creation = await core.CreateAsync();

        names.Distinct().Count().ShouldBe(3);
        creation.Sandbox.Name.ShouldBe(names[2]);
    }

    [Fact]
    public async Task A_backend_that_calls_every_name_taken_is_given_up()
    {
        await using var core = await Core.StartAsync();
        core.Backend.BeforeCreate = spec => throw new SandboxExistsException(spec.Name);

        await Should.ThrowAsync<BackendUnavailableException>(() => core.CreateAsync());
    }

    [Fact]
    public async Task A_caller_who_is_gone_before_the_answer_leaves_nothing_behind()
    {
        await using var core = await Core.StartAsync();
        using var caller = new CancellationTokenSource();
        core.Backend.BeforeCreate = _ => caller.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => core.Service.CreateAsync(new CreateSandboxRequest(), caller.Token));

        var spec = core.Backend.Specs.ShouldHaveSingleItem();
        await core.ViewAsync(spec.Name, sandbox => sandbox is null);
        core.Backend.Sandboxes.ShouldBeEmpty();
    }

    [Fact]
    public async Task Nothing_is_created_before_it_is_known_what_exists()
    {
        await using var core = new Core();
        var create = core.CreateAsync();
        await core.Clock.TimerAsync(TimeSpan.FromSeconds(10)).WaitAsync(Patience.Limit);
        core.Clock.Advance(TimeSpan.FromSeconds(10));

        await Should.ThrowAsync<BackendUnavailableException>(() => create);
        core.Backend.Specs.ShouldBeEmpty();
    }
}
