using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>Many claims at once, by two Managers, over a small pool: no sandbox is ever two answers.</summary>
public sealed class ClaimStormTests
{
    private static readonly SandboxOptions Roomy = new() { MaxTotalContainers = 1000, PoolCreateConcurrency = 5 };

    [Fact]
    public async Task Of_two_hundred_claims_at_once_none_gets_what_another_got()
    {
        await using var pool = await PoolCore.FilledAsync(20, Roomy);
        await using var other = await Core.StartAsync(beside: pool.Core);

        var answers = await StormAsync([pool.Core, other], 200);

        Doubles(answers).ShouldBeEmpty();
        answers.Count.ShouldBe(200);
        // The witness beside the answers: what each executor and the backend have recorded.
        pool.Executors.Claims.Count.ShouldBe(200);
        answers.Select(answer => (answer.Uid, answer.Owner)).Order().ShouldBe(
            pool.Backend.Sandboxes.Where(sandbox => sandbox.Owner is not null).Select(sandbox => (sandbox.Uid, sandbox.Owner)).Order());
        pool.Backend.Changes.ShouldBeLessThan(400, "Managers that choose at random seldom meet.");
        await pool.UntilAsync(statistics => statistics.Warm == 20);
    }

    [Fact]
    public async Task Without_the_backends_condition_and_the_executors_refusal_doubles_are_found()
    {
        await using var pool = await PoolCore.FilledAsync(20, Roomy, backend => new Unconditional(backend));
        pool.Leadership.End();
        await using var other = await Core.StartAsync(beside: pool.Core, through: backend => new Unconditional(backend));
        pool.Backend.HoldWatch();
        pool.Executors.Instead = async (_, call) =>
        {
            await call.AnswerAsync("200 OK", "application/json", "{}");
            return true;
        };

        var answers = await StormAsync([pool.Core, other], 40);

        Doubles(answers).Count.ShouldBe(20);
    }

    [Fact]
    public async Task Without_the_backends_condition_the_executors_refusal_still_keeps_two_from_one()
    {
        await using var pool = await PoolCore.FilledAsync(20, Roomy, backend => new Unconditional(backend));
        pool.Leadership.End();
        await using var other = await Core.StartAsync(beside: pool.Core, through: backend => new Unconditional(backend));
        pool.Backend.HoldWatch();

        Doubles(await StormAsync([pool.Core, other], 40, waitSeconds: 0)).ShouldBeEmpty();
    }

    private static async Task<IReadOnlyList<Sandbox>> StormAsync(Core[] managers, int claims, int waitSeconds = 300)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, claims).Select(i => Task.Run(async () =>
        {
            try
            {
                var request = new AllocateRequest { UserId = $"user {i}", WaitSeconds = waitSeconds };
                return await managers[i % managers.Length].Pool.ClaimAsync(request, CancellationToken.None).WaitAsync(Patience.Limit);
            }
            catch (SandboxException e) when (e.Code is ErrorCodes.PoolExhausted or ErrorCodes.ExecutorUnreachable && waitSeconds == 0)
            {
                // None is free; or three in a row were the other's, as for who comes before most others have begun.
                return null;
            }
        })));
        return [.. answers.OfType<Sandbox>()];
    }

    private static List<string> Doubles(IEnumerable<Sandbox> answers) =>
        [.. answers.GroupBy(answer => answer.Uid, StringComparer.Ordinal).Where(group => group.Count() > 1).Select(group => group.Key)];

    /// <summary>A backend that writes whatever it is told, as if nobody else were there.</summary>
    private sealed class Unconditional(ISandboxBackend backend) : ISandboxBackend
    {
        public async Task<Sandbox> ChangeAsync(Sandbox seen, SandboxChange change, ChangeCondition condition, CancellationToken cancellationToken)
        {
            while (true)
            {
                try
                {
                    var current = await backend.ReadAsync(seen.Name, cancellationToken) ?? throw new SandboxConflictException(seen.Name);
                    return await backend.ChangeAsync(current, change, ChangeCondition.SameVersion, cancellationToken);
                }
                catch (SandboxConflictException) when (!cancellationToken.IsCancellationRequested)
                {
                    if (await backend.ReadAsync(seen.Name, cancellationToken) is null) throw;
                }
            }
        }

        public Task<Sandbox> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken) => backend.CreateAsync(spec, cancellationToken);

        public Task<Sandbox?> ReadAsync(string name, CancellationToken cancellationToken) => backend.ReadAsync(name, cancellationToken);

        public Task<IReadOnlyList<Sandbox>> ListOwnedAsync(string owner, CancellationToken cancellationToken) => backend.ListOwnedAsync(owner, cancellationToken);

        public Task<bool> DeleteAsync(Sandbox seen, DeleteCondition condition, CancellationToken cancellationToken) => backend.DeleteAsync(seen, condition, cancellationToken);

        public IAsyncEnumerable<SandboxObservation> WatchAsync(CancellationToken cancellationToken) => backend.WatchAsync(cancellationToken);

        public ExecutorEndpoint Connect(Sandbox sandbox) => backend.Connect(sandbox);
    }
}
