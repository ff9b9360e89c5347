using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Testing;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>The first request that an executor of the pool gets.</summary>
public sealed class PoolRehearsalTests
{
    [Fact]
    public async Task Executors_of_the_pool_are_asked_by_who_leads_and_again_only_where_they_have_not_answered()
    {
        await using var core = await Core.StartAsync();
        core.Backend.IsReadyAtOnce = true;
        using var leadership = new SwitchedLeadership();
        using var rehearsal = new PoolRehearsal(core.Registry, leadership, core.Backend, core.Tokens, core.Clock);
        await rehearsal.StartAsync(CancellationToken.None);
        await CreateAsync(core, PoolStatus.Manual);
        var first = await CreateAsync(core, PoolStatus.Warm);
        core.Executor.HasCall.ShouldBeFalse();

        leadership.Lead(1);
        await AnswerAsync(core, [first], "409 Conflict", """{"code":"not_claimed"}""");
        var second = await CreateAsync(core, PoolStatus.Warm);
        await AnswerAsync(core, [second], "500 Internal Server Error", "{}");
        var third = await CreateAsync(core, PoolStatus.Warm);
        await AnswerAsync(core, [second, third], "409 Conflict", """{"code":"not_claimed"}""");
        var fourth = await CreateAsync(core, PoolStatus.Warm);
        await AnswerAsync(core, [fourth], "409 Conflict", """{"code":"not_claimed"}""");

        await rehearsal.StopAsync(CancellationToken.None).WaitAsync(Patience.Limit);
        core.Executor.HasCall.ShouldBeFalse();
    }

    // Its token.
    private static async Task<string> CreateAsync(Core core, PoolStatus status)
    {
        var sandbox = await core.Backend.CreateAsync(Specs.New(status), CancellationToken.None);
        await Patience.UntilAsync(() => core.Registry.Find(sandbox.Name) is { IsReady: true }, () => "The view has not been told.");
        return core.Tokens.TokenOf(sandbox.Name, sandbox.Nonce);
    }

    private static async Task AnswerAsync(Core core, string[] expected, string status, string body)
    {
        // Each as it comes: the one may wait for the other's answer.
        List<string> asked = [];
        while (asked.Count < expected.Length)
        {
            var call = await core.Executor.NextCallAsync();
            call.Target.ShouldBe("/api/stats");
            asked.Add(call.Header(ExecutorProtocol.TokenHeader)!);
            await call.AnswerAsync(status, Problem.MediaType, body);
        }

        asked.ShouldBe(expected, ignoreOrder: true);
    }
}
