using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>What a claim costs, what it gives, and what it leaves behind.</summary>
public sealed class ClaimTests
{
    [Fact]
    public async Task A_claim_writes_once_and_reads_nothing()
    {
        await using var pool = await PoolCore.FilledAsync(3);

        var claimed = await pool.ClaimAsync(new AllocateRequest
        {
            UserId = "anna@example",
            EnvironmentVariables = new Dictionary<string, string> { ["A"] = "1" },
            Labels = new Dictionary<string, string> { ["team"] = "blue" },
            TimeoutSeconds = 60,
        });

        (pool.Backend.Changes, pool.Backend.Reads, pool.Backend.Lists).ShouldBe((1, 0, 0));
        claimed.AcceptsCommands.ShouldBeTrue();
        var recorded = pool.Backend.Sandboxes.Single(sandbox => sandbox.Uid == claimed.Uid);
        (recorded.PoolStatus, recorded.Owner, recorded.AllocatedAt, recorded.Lifetime)
            .ShouldBe((PoolStatus.Allocated, "anna@example", pool.Clock.GetUtcNow(), TimeSpan.FromMinutes(1)));
        recorded.Labels.ShouldContain(new KeyValuePair<string, string>("team", "blue"));
        recorded.Labels.ShouldContain(new KeyValuePair<string, string>(SandboxLabels.PoolStatus, "allocated"));
        var told = pool.Executors.Claims[pool.Core.Tokens.TokenOf(claimed.Name, claimed.Nonce)];
        (told.Owner, told.Environment!["A"]).ShouldBe(("anna@example", "1"));
    }
}
