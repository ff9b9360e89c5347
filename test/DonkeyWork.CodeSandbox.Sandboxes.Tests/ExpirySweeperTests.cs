using DonkeyWork.CodeSandbox.Sandboxes.Expiry;
using DonkeyWork.CodeSandbox.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

public sealed class ExpirySweeperTests
{
    private static readonly SandboxOptions EveryTwoMinutes = new() { CleanupCheckIntervalMinutes = 2 };

    [Fact]
    public async Task What_has_ended_is_removed_at_the_next_sweep_and_what_lives_is_not()
    {
        await using var core = await Core.StartAsync(EveryTwoMinutes);
        var living = await core.CreateReadyAsync();
        var ended = await EndedAsync(core);
        using var sweeper = await StartAsync(core);

        await core.Clock.TimerAsync(TimeSpan.FromMinutes(2)).WaitAsync(Patience.Limit);
        core.Clock.Advance(TimeSpan.FromMinutes(2) - TimeSpan.FromTicks(1));
        core.Backend.Sandboxes.Count.ShouldBe(2);
        core.Clock.Advance(TimeSpan.FromTicks(1));

        await core.ViewAsync(ended.Name, sandbox => sandbox is null or { IsDeleting: true });
        core.Registry.Find(living.Name)!.IsDeleting.ShouldBeFalse();
        await sweeper.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task An_operator_can_keep_what_has_ended()
    {
        await using var core = await Core.StartAsync(EveryTwoMinutes with { CleanupCompletedPods = false });
        var ended = await EndedAsync(core);
        using var sweeper = await StartAsync(core);

        await sweeper.ExecuteTask!.WaitAsync(Patience.Limit);

        core.Clock.Advance(TimeSpan.FromHours(1));
        core.Registry.Find(ended.Name)!.IsDeleting.ShouldBeFalse();
    }

    [Fact]
    public async Task An_ended_sandbox_is_not_found_and_the_error_says_why_it_ended()
    {
        await using var core = await Core.StartAsync();
        var ended = await EndedAsync(core);

        var error = await Should.ThrowAsync<SandboxException>(core.Service.FindAsync(ended.Name, CancellationToken.None));

        error.Code.ShouldBe(Contracts.ErrorCodes.SandboxNotFound);
        error.Message.ShouldContain("OOMKilled");
    }

    [Fact]
    public async Task An_ended_sandbox_counts_until_it_is_removed()
    {
        await using var core = await Core.StartAsync(new SandboxOptions { MaxTotalContainers = 1 });
        var ended = await EndedAsync(core);

        (await Should.ThrowAsync<SandboxException>(core.CreateAsync())).Code.ShouldBe(Contracts.ErrorCodes.LimitReached);

        (await core.Service.DeleteAllAsync(CancellationToken.None)).DeletedPods.ShouldBe([ended.Name]);
        await core.CreateAsync();
    }

    private static async Task<Sandbox> EndedAsync(Core core)
    {
        var sandbox = await core.CreateReadyAsync();
        core.Backend.Set(sandbox.Name, s => s with { Phase = SandboxPhase.Failed, IsReady = false, Message = "OOMKilled: too much." });
        return (await core.ViewAsync(sandbox.Name, s => s is { HasEnded: true }))!;
    }

    private static async Task<ExpirySweeper> StartAsync(Core core)
    {
        var sweeper = new ExpirySweeper(core.Service, core.Registry, core.Options, core.Clock, NullLogger<ExpirySweeper>.Instance);
        await sweeper.StartAsync(CancellationToken.None);
        return sweeper;
    }
}
