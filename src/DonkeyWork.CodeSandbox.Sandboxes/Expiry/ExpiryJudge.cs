using System.Collections.Concurrent;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;

namespace DonkeyWork.CodeSandbox.Sandboxes.Expiry;

/// <summary>
/// Says of one sandbox whether it is to go: by the rules, and where those say that it is idle, or was never told of its
/// claim, by asking its executor.
/// </summary>
internal sealed class ExpiryJudge(
    ExpiryRules rules, ExecutorStatsReader executors, ActivityWriter activity, SandboxRegistry registry, SandboxOptions options, TimeProvider clock)
{
    private readonly TimeSpan _silencePatience = TimeSpan.FromSeconds(options.PodReadyTimeoutSeconds);

    // By uid. Whose claim has arrived is never asked for that again; since when an executor is silent, by the monotonic clock.
    private readonly ConcurrentDictionary<string, bool> _claimed = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _silent = new(StringComparer.Ordinal);

    /// <summary>Why it is to go, a clause; <see langword="null"/>: it stays, and work in it is recorded as its last activity.</summary>
    /// <exception cref="BackendUnavailableException">The backend cannot be reached.</exception>
    public async Task<string?> JudgeAsync(Sandbox sandbox, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        return sandbox switch
        {
            { IsDeleting: true } => null,
            { HasEnded: true } => options.CleanupCompletedPods ? "it has ended" : null,
            _ when rules.IsExpired(sandbox, now) => "its lifetime is over",
            _ when rules.IsStuck(sandbox, now) => "it is stuck in creation",
            { Phase: SandboxPhase.Pending } => null,
            { PoolStatus: PoolStatus.Warm } => sandbox.IsReady ? Heard(sandbox) : WhyUnheard(sandbox, "not ready"),
            _ when rules.IsIdle(sandbox, now) || IsClaimUncertain(sandbox, now) => await AskAsync(sandbox, now, cancellationToken),
            _ => Heard(sandbox),
        };
    }

    /// <summary>Whether its executor did not answer when it was last asked.</summary>
    public bool IsSilent(Sandbox sandbox) => _silent.ContainsKey(sandbox.Uid);

    /// <summary>What is not there any more is forgotten.</summary>
    public void KeepOnly(IReadOnlySet<string> uids)
    {
        foreach (var uid in _claimed.Keys.Where(uid => !uids.Contains(uid))) _claimed.TryRemove(uid, out _);
        foreach (var uid in _silent.Keys.Where(uid => !uids.Contains(uid))) _silent.TryRemove(uid, out _);
    }

    /// <summary>Silence so far may have been the backend's.</summary>
    public void ForgetSilence() => _silent.Clear();

    private bool IsClaimUncertain(Sandbox sandbox, DateTimeOffset now) => ExpiryRules.IsClaimOver(sandbox, now) && !_claimed.ContainsKey(sandbox.Uid);

    private async Task<string?> AskAsync(Sandbox sandbox, DateTimeOffset now, CancellationToken cancellationToken)
    {
        switch (await executors.AskAsync(sandbox, cancellationToken))
        {
            case Stats stats:
                Heard(sandbox);
                if (sandbox.PoolStatus == PoolStatus.Allocated) _claimed[sandbox.Uid] = true;
                return await WhyUnusedAsync(sandbox, stats, now, cancellationToken);
            case NotClaimed when sandbox.PoolStatus == PoolStatus.Allocated:
                return "its claim was never answered";
            case NoStats none:
                return WhyUnheard(sandbox, none.Why, onlyIf: rules.IsIdle(sandbox, now));
            case var other:
                throw new System.Diagnostics.UnreachableException($"{other}");
        }
    }

    private async Task<string?> WhyUnusedAsync(Sandbox sandbox, Stats stats, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (!rules.IsIdle(sandbox, now)) return null;
        // A sandbox's word keeps it for now, and never for longer than it would keep itself by running something.
        var used = stats.IsBusy || stats.LastActivity > now ? now : stats.LastActivity ?? sandbox.LastUsed;
        if (rules.IsIdleSince(used, now)) return "it is idle";
        await activity.AdvanceAsync(sandbox, _ => used, cancellationToken);
        return null;
    }

    private string? Heard(Sandbox sandbox)
    {
        _silent.TryRemove(sandbox.Uid, out _);
        return null;
    }

    // Monotonic: a wall clock that is set must make nobody silent. And a backend that is lost may be what is silent.
    private string? WhyUnheard(Sandbox sandbox, string what, bool onlyIf = true)
    {
        if (!registry.IsCurrent) return null;
        var silence = clock.GetElapsedTime(_silent.GetOrAdd(sandbox.Uid, _ => clock.GetTimestamp()));
        return onlyIf && silence >= _silencePatience ? $"its executor does not answer since {silence.TotalSeconds:0} s: {what}" : null;
    }
}
