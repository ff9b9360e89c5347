using System.Net;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests;

public sealed class FullSandboxTests
{
    private const string ForkBomb = "bomb() { bomb | bomb & }; bomb; sleep 9191.9191";

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task A_full_sandbox_answers_start_failed_and_its_timeout_empties_it(KillMode mode)
    {
        await using var container = await ExecutorContainer.StartAsync(mode, new ContainerOptions { Tasks = 96 });
        var bomb = container.Api.RunAsync(ForkBomb, timeoutSeconds: 5);
        await Published.EventuallyAsync(() => IsRefusedAsync(container).GetAwaiter().GetResult(), "it does not fill up");

        (await container.Api.IsHealthyAsync()).ShouldBeTrue();
        var refusals = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => container.Api.IsHealthyAsync()));
        refusals.ShouldAllBe(healthy => healthy);
        (await bomb).Completed.ShouldSatisfy(137, CompletionReason.TimedOut);

        await Published.EventuallyAsync(() => container.Processes().Count == 1, "processes are left");
        (await container.Api.RunAsync("echo room")).Stdout.ShouldBe("room\n");
    }

    [Fact]
    public async Task Control_without_the_reserve_a_command_starts_that_can_start_nothing()
    {
        await using var container = await ExecutorContainer.StartAsync(KillMode.Cgroup, new ContainerOptions { Tasks = 200, TellsTasksLimit = false });

        (await container.Api.RunAsync("ulimit -u")).Stdout.ShouldNotBe($"{200 - 24}\n");
    }

    private static async Task<bool> IsRefusedAsync(ExecutorContainer container)
    {
        using var response = await container.Api.ExecuteAsync(new ExecuteRequest { Command = "true" });
        if (response.StatusCode != HttpStatusCode.ServiceUnavailable)
            return false;
        await RequestTests.ProblemAsync(response, HttpStatusCode.ServiceUnavailable, ErrorCodes.StartFailed);
        response.Headers.RetryAfter.ShouldNotBeNull();
        return true;
    }
}
