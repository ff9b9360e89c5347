using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>What is taken out of the pool: outdated ones as they are replaced, and those that are too many.</summary>
public sealed class RollTests
{
    [Fact]
    public async Task Outdated_ones_are_replaced_and_there_are_never_fewer_ready_than_before()
    {
        await using var pool = await PoolCore.FilledAsync(5);
        pool.Leadership.End();
        var fewest = await WatchFewestReadyAsync(pool);
        var outdated = pool.Backend.Sandboxes;
        foreach (var sandbox in outdated) pool.Backend.Set(sandbox.Name, seen => seen with { Template = "outdated" });

        pool.Leadership.Lead(2);

        await Patience.UntilAsync(
            () => pool.Core.Pool.Statistics.Warm == 5 && pool.Backend.Sandboxes.All(sandbox => sandbox.Template != "outdated"),
            () => $"{string.Join(", ", pool.Backend.Sandboxes.Select(sandbox => sandbox.Template))}");
        (await fewest()).ShouldBe(5);
        pool.Backend.Specs.Count.ShouldBe(10);
    }

    [Fact]
    public async Task At_the_limit_outdated_ones_go_one_by_one()
    {
        await using var pool = await PoolCore.FilledAsync(5, new SandboxOptions { MaxTotalContainers = 5 });
        pool.Leadership.End();
        var fewest = await WatchFewestReadyAsync(pool);
        foreach (var sandbox in pool.Backend.Sandboxes) pool.Backend.Set(sandbox.Name, seen => seen with { Template = "outdated" });

        pool.Leadership.Lead(2);

        await Patience.UntilAsync(
            () => pool.Core.Pool.Statistics.Warm == 5 && pool.Backend.Sandboxes.All(sandbox => sandbox.Template != "outdated"),
            () => $"{string.Join(", ", pool.Backend.Sandboxes.Select(sandbox => sandbox.Template))}");
        (await fewest()).ShouldBe(4);
    }

    [Fact]
    public async Task Of_those_that_are_too_many_the_unready_go_then_the_older_epochs()
    {
        await using var pool = await PoolCore.FilledAsync(3);
        pool.Leadership.End();
        var spec = pool.Backend.Specs[0];
        await pool.Backend.CreateAsync(spec with { Name = "kata-sandbox-0000000a", Epoch = 0 }, default);
        await pool.Backend.CreateAsync(spec with { Name = "kata-sandbox-0000000b", Epoch = 2 }, default);
        pool.Backend.IsReadyAtOnce = false;
        await pool.Backend.CreateAsync(spec with { Name = "kata-sandbox-0000000c", Epoch = 3 }, default);
        await pool.UntilAsync(statistics => statistics.Total == 6);

        pool.Leadership.Lead(4);

        await pool.UntilAsync(statistics => statistics.Total == 3);
        pool.Backend.Sandboxes.Select(sandbox => sandbox.Epoch).Order().ShouldBe([1, 1, 2]);
    }

    [Fact]
    public async Task A_claim_that_came_first_wins_over_a_removal()
    {
        await using var pool = await PoolCore.FilledAsync(2);
        pool.Leadership.End();
        await pool.Backend.CreateAsync(pool.Backend.Specs[0] with { Name = "kata-sandbox-0000000a", Epoch = 0 }, default);
        await pool.UntilAsync(statistics => statistics.Warm == 3);
        // Claimed by another Manager; the view of this one is behind.
        pool.Backend.HoldWatch();
        pool.Backend.Set("kata-sandbox-0000000a", sandbox => sandbox with { PoolStatus = PoolStatus.Allocated, Owner = "anna" });

        pool.Leadership.Lead(2);
        await pool.Clock.AnyTimerAsync().WaitAsync(Patience.Limit);
        pool.Backend.ReleaseWatch();

        await pool.UntilAsync(statistics => statistics is { Allocated: 1, Warm: 2 });
        pool.Backend.Sandboxes.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_pool_that_is_set_to_none_is_emptied()
    {
        await using var pool = await PoolCore.StartAsync(new SandboxOptions { WarmPoolSize = 0 });
        await pool.Backend.CreateAsync(new SandboxSpec
        {
            Name = "kata-sandbox-0000000a", Nonce = "n", TokenHash = "h", PoolStatus = PoolStatus.Warm, Labels = new Dictionary<string, string>(),
            Resources = new ResourceRequirements(), Start = new SandboxStart(), CreatedAt = pool.Clock.GetUtcNow(), Template = "t",
        }, default);
        await pool.UntilAsync(statistics => statistics.Warm == 1);

        pool.Leadership.Lead(1);

        await pool.UntilAsync(statistics => statistics.Total == 0);
        pool.Backend.Sandboxes.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_whose_machine_is_lost_is_made_up_for_and_goes_when_it_is_back_and_too_many()
    {
        await using var pool = await PoolCore.FilledAsync(2);
        var lost = pool.Backend.Sandboxes[0];
        pool.Backend.Set(lost.Name, sandbox => sandbox with { IsReady = false, IsCutOff = true });
        await pool.UntilAsync(statistics => statistics is { Warm: 2, Creating: 1 });

        pool.Backend.Set(lost.Name, sandbox => sandbox with { IsReady = true, IsCutOff = false });

        await pool.UntilAsync(statistics => statistics.Total == 2);
    }

    // The witness is the backend's own watch, told of every change in order: from before the first that counts, to the last.
    private static async Task<Func<Task<int>>> WatchFewestReadyAsync(PoolCore pool)
    {
        var end = new Backends.SandboxGone(pool.Backend.Sandboxes[0] with { Name = "the end", Uid = "the end" });
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var watching = Task.Run(async () =>
        {
            var fewest = int.MaxValue;
            var ready = new HashSet<string>(StringComparer.Ordinal);
            await foreach (var observation in pool.Backend.WatchAsync(CancellationToken.None))
            {
                if (observation == end) break;
                if (observation is Backends.SandboxListed listed) ready.UnionWith(listed.Sandboxes.Where(sandbox => sandbox.IsReady).Select(sandbox => sandbox.Name));
                if (observation is Backends.SandboxChanged { Sandbox: { IsReady: true } up }) ready.Add(up.Name);
                if (observation is Backends.SandboxGone gone) ready.Remove(gone.Sandbox.Name);
                fewest = Math.Min(fewest, ready.Count);
                begun.TrySetResult();
            }

            return fewest;
        });
        await begun.Task.WaitAsync(Patience.Limit);
        return () =>
        {
            pool.Backend.Tell(end);
            return watching.WaitAsync(Patience.Limit);
        };
    }
}
