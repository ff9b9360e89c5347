using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>What is left of a sandbox that has ended by itself.</summary>
public sealed class EndedTests
{
    [Fact]
    public async Task An_ended_sandbox_is_not_found_and_the_error_says_why_it_ended()
    {
        await using var core = await Core.StartAsync();
        var ended = await EndedAsync(core);

        var error = await Should.ThrowAsync<SandboxException>(core.Service.FindAsync(ended.Name, CancellationToken.None));

        error.Code.ShouldBe(ErrorCodes.SandboxNotFound);
        error.Message.ShouldContain("OOMKilled");
    }

    [Fact]
    public async Task An_ended_sandbox_counts_until_it_is_removed()
    {
        await using var core = await Core.StartAsync(new SandboxOptions { MaxTotalContainers = 1 });
        var ended = await EndedAsync(core);

        (await Should.ThrowAsync<SandboxException>(core.CreateAsync())).Code.ShouldBe(ErrorCodes.LimitReached);

        (await core.Service.DeleteAllAsync(CancellationToken.None)).DeletedPods.ShouldBe([ended.Name]);
        await core.CreateAsync();
    }

    private static async Task<Sandbox> EndedAsync(Core core)
    {
        var sandbox = await core.CreateReadyAsync();
        core.Backend.Set(sandbox.Name, s => s with { Phase = SandboxPhase.Failed, IsReady = false, Message = "OOMKilled: too much." });
        return (await core.ViewAsync(sandbox.Name, s => s is { HasEnded: true }))!;
    }
}
