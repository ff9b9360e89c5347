using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes.Expiry;

/// <summary>What time does to a sandbox: by its record alone, and by what an operator has set. Asks nobody.</summary>
public sealed class ExpiryRules(SandboxOptions options)
{
    // A claim has its sandbox answer within seconds; what has not by then was written by a Manager that is gone.
    private static readonly TimeSpan ClaimPatience = TimeSpan.FromSeconds(60);

    // The Manager that has made it gives it up first, and tells its caller why.
    private static readonly TimeSpan CreationGrace = TimeSpan.FromSeconds(30);

    private readonly TimeSpan _idle = TimeSpan.FromMinutes(options.IdleTimeoutMinutes);
    private readonly TimeSpan _longest = TimeSpan.FromMinutes(options.MaxContainerLifetimeMinutes);
    private readonly TimeSpan _creation = TimeSpan.FromSeconds(options.PodReadyTimeoutSeconds) + CreationGrace;

    /// <summary>
    /// When a sandbox goes if nothing uses it: idle, or at the end of its lifetime, whichever is first.
    /// <see langword="null"/> of one of the pool, which is nobody's yet.
    /// </summary>
    public DateTimeOffset? ExpiresAt(Sandbox sandbox) =>
        EndOf(sandbox) is { } end ? Earlier(After(sandbox.LastUsed, _idle), end) : null;

    /// <summary>Whether its lifetime is over, used or not.</summary>
    public bool IsExpired(Sandbox sandbox, DateTimeOffset now) => EndOf(sandbox) <= now;

    /// <summary>Whether it was not used for <see cref="SandboxOptions.IdleTimeoutMinutes"/>, as far as that is recorded.</summary>
    public bool IsIdle(Sandbox sandbox, DateTimeOffset now) =>
        sandbox.PoolStatus != PoolStatus.Warm && IsIdleSince(sandbox.LastUsed, now);

    /// <summary>The same of a use that may be recorded nowhere.</summary>
    public bool IsIdleSince(DateTimeOffset lastUsed, DateTimeOffset now) => After(lastUsed, _idle) <= now;

    /// <summary>Whether it is in creation for longer than that may take.</summary>
    public bool IsStuck(Sandbox sandbox, DateTimeOffset now) =>
        sandbox.Phase == SandboxPhase.Pending && After(sandbox.CreatedAt, _creation) <= now;

    /// <summary>Whether its claim is old enough for its executor to have been told of it.</summary>
    public static bool IsClaimOver(Sandbox sandbox, DateTimeOffset now) =>
        sandbox.PoolStatus == PoolStatus.Allocated && After(sandbox.LastUsed, ClaimPatience) <= now;

    /// <summary>
    /// The last activity to record so that the sandbox stays for <paramref name="time"/> from now, or to the end of its
    /// lifetime if that is earlier: in the future where <paramref name="time"/> is longer than the idle limit.
    /// </summary>
    public DateTimeOffset LastActivityToKeep(Sandbox sandbox, DateTimeOffset now, TimeSpan time)
    {
        var wanted = InWholeSeconds(now + time - _idle);
        var kept = EndOf(sandbox) is { } end ? Earlier(wanted, end) : wanted;
        return kept > now ? kept : now;
    }

    private DateTimeOffset? EndOf(Sandbox sandbox) =>
        sandbox.PoolStatus == PoolStatus.Warm ? null : After(sandbox.AllocatedAt ?? sandbox.CreatedAt, sandbox.Lifetime ?? _longest);

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    // Backends may cut off what is below a second; the time that was asked for is not to be shorter for it.
    private static DateTimeOffset InWholeSeconds(DateTimeOffset time) =>
        time.UtcTicks % TimeSpan.TicksPerSecond is var over && over > 0 ? time.AddTicks(TimeSpan.TicksPerSecond - over) : time;

    // A record that somebody has tampered with may hold any time.
    private static DateTimeOffset After(DateTimeOffset time, TimeSpan by) =>
        DateTimeOffset.MaxValue - time > by ? time + by : DateTimeOffset.MaxValue;
}
