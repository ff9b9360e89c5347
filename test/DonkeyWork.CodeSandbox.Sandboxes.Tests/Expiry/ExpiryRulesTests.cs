using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Expiry;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests.Expiry;

/// <summary>When a sandbox goes, by its record alone.</summary>
public sealed class ExpiryRulesTests
{
    private static readonly DateTimeOffset Made = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // Idle after 5 minutes, over after 15.
    private static readonly ExpiryRules Rules = new(new SandboxOptions());

    public static TheoryData<string, Sandbox, double?> States => new()
    {
        { "never used", Manual, 5 },
        { "used", Manual with { LastActivity = Minute(3) }, 8 },
        { "used near its end", Manual with { LastActivity = Minute(14) }, 15 },
        { "kept into the future", Manual with { LastActivity = Minute(60) }, 15 },
        { "in creation", Manual with { Phase = SandboxPhase.Pending, IsReady = false }, 5 },
        { "ended", Manual with { Phase = SandboxPhase.Failed, IsReady = false }, 5 },
        { "cut off", Manual with { IsReady = false, IsCutOff = true }, 5 },
        { "made before it was allocated", Manual with { AllocatedAt = null }, 5 },
        { "in the pool", Manual with { PoolStatus = PoolStatus.Warm, AllocatedAt = null }, null },
        { "in the pool, and used all the same", Manual with { PoolStatus = PoolStatus.Warm, AllocatedAt = null, LastActivity = Minute(1) }, null },
        { "claimed", Claimed, 65 },
        { "claimed, and used before that", Claimed with { LastActivity = Minute(1) }, 65 },
        { "claimed, and used", Claimed with { LastActivity = Minute(69) }, 74 },
        { "claimed for two minutes", Claimed with { Lifetime = TimeSpan.FromMinutes(2) }, 62 },
        { "claimed for longer than it is used", Claimed with { Lifetime = TimeSpan.FromMinutes(14) }, 65 },
    };

    [Theory]
    [MemberData(nameof(States))]
    public void A_sandbox_expires_when_it_is_idle_or_over_whichever_is_first(string state, Sandbox sandbox, double? minute)
    {
        DateTimeOffset? expected = minute is { } at ? Minute(at) : null;
        Rules.ExpiresAt(sandbox).ShouldBe(expected, state);
        sandbox.ToInfo(Rules).ExpiresAt.ShouldBe(expected, state);
        if (expected is not { } end) return;
        (Rules.IsIdle(sandbox, end) || Rules.IsExpired(sandbox, end)).ShouldBeTrue("It goes when it is said to.");
        (Rules.IsIdle(sandbox, end.AddTicks(-1)) || Rules.IsExpired(sandbox, end.AddTicks(-1))).ShouldBeFalse("And no earlier.");
    }

    [Fact]
    public void Any_time_that_a_record_may_hold_is_one()
    {
        foreach (var time in new[] { DateTimeOffset.MinValue, DateTimeOffset.MaxValue })
        {
            var sandbox = Manual with { CreatedAt = time, AllocatedAt = time, LastActivity = time, Phase = SandboxPhase.Pending };
            Rules.ExpiresAt(sandbox).ShouldNotBeNull();
            Rules.IsStuck(sandbox, Made).ShouldBe(time < Made);
            Rules.IsExpired(sandbox, Made).ShouldBe(time < Made);
        }
    }

    private static Sandbox Manual { get; } = new()
    {
        Name = "a",
        Uid = "u",
        Version = "1",
        Nonce = "n",
        Phase = SandboxPhase.Running,
        IsReady = true,
        CreatedAt = Made,
        AllocatedAt = Made,
        PoolStatus = PoolStatus.Manual,
        Labels = new Dictionary<string, string>(),
        Resources = new ResourceRequirements(),
    };

    private static Sandbox Claimed { get; } = Manual with { PoolStatus = PoolStatus.Allocated, AllocatedAt = Minute(60), Owner = "somebody" };

    private static DateTimeOffset Minute(double minute) => Made.AddMinutes(minute);
}
