using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Creation;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>
/// Hands sandboxes of the pool to owners. The view only suggests one; that it is nobody else's is decided by the backend,
/// in the claim's one write, and once more by its executor, which opens once.
/// </summary>
public sealed partial class WarmPool(
    SandboxService sandboxes,
    SandboxRegistry registry,
    ISandboxBackend backend,
    SandboxTokens tokens,
    OwnedTasks tasks,
    SandboxOptions options,
    TimeProvider clock,
    ILogger<WarmPool> logger)
{
    // In one claim, one after the other.
    private const int MostUnopened = 3;

    private readonly Candidates _candidates = new(registry, sandboxes.PoolTemplate, tasks, clock);
    private readonly ExecutorClaim _executors = new(backend, tokens, clock);
    private readonly Turns<(string Owner, string ClaimId)> _turns = new();

    /// <summary>The pool and what else there is, as the registry has it. Costs no call.</summary>
    public PoolStatistics Statistics => PoolCount.Of(registry.All, options.WarmPoolSize, sandboxes.Limit.Count);

    /// <summary>Gives a sandbox that is ready to an owner, who alone has it from then on.</summary>
    /// <param name="request">Who wants it, and how.</param>
    /// <param name="cancellationToken">
    /// The caller has gone. A claim without an id then leaves nothing behind; one with an id goes on, for the next try of it.
    /// </param>
    /// <exception cref="InvalidSandboxException">Fields are wrong; all are named.</exception>
    /// <exception cref="SandboxException">
    /// <see cref="ErrorCodes.PoolExhausted"/>; <see cref="ErrorCodes.LimitReached"/> where one was to be created;
    /// <see cref="ErrorCodes.ExecutorUnreachable"/> or <see cref="ErrorCodes.SandboxNotReady"/> where an earlier try of the claim has one that is in use.
    /// </exception>
    /// <exception cref="BackendUnavailableException">The backend cannot be reached.</exception>
    public async Task<Sandbox> ClaimAsync(AllocateRequest request, CancellationToken cancellationToken)
    {
        var claim = ClaimRules.Check(request, options);
        await registry.WaitUntilListedAsync(cancellationToken);
        return claim.ClaimId is null ? await ClaimAnewAsync(claim, cancellationToken) : await ClaimOnceAsync(claim, cancellationToken);
    }

    private async Task<Sandbox> ClaimAnewAsync(Claim claim, CancellationToken cancellationToken)
    {
        var begun = clock.GetTimestamp();
        // Nobody refills a pool of none.
        var patience = options.WarmPoolSize > 0 ? claim.Wait : TimeSpan.Zero;
        var unopened = 0;
        for (var isFirst = false; ; isFirst = true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var left = patience > TimeSpan.Zero ? patience - clock.GetElapsedTime(begun) : patience;
            if (await _candidates.TakeAsync(left, isFirst, cancellationToken) is not { } candidate) break;
            var (claimed, whyUnopened) = await TryClaimAsync(candidate, claim);
            // Whatever keeps this Manager from them, the whole pool must not go for one claim.
            if (whyUnopened is not null && ++unopened == MostUnopened) throw SandboxException.PoolUnreachable(unopened, whyUnopened);
            if (claimed is null) continue;
            if (claim.ClaimId is not null || !cancellationToken.IsCancellationRequested) return claimed;
            // Nobody has learnt its name.
            sandboxes.Discard(claimed);
        }

        return claim.CreateIfExhausted ? await CreateAsync(claim, cancellationToken) : throw Exhausted();
    }

    // No sandbox: it was not to be had, and another may be; with a reason where it was written, and did not open.
    private async Task<(Sandbox? Claimed, string? WhyUnopened)> TryClaimAsync(Sandbox candidate, Claim claim)
    {
        Sandbox written;
        try
        {
            // Not the caller's token: a write cut in the middle may or may not have happened.
            written = await backend.ChangeAsync(candidate, claim.ChangeAt(clock.GetUtcNow()), ChangeCondition.StillWarm, CancellationToken.None);
        }
        catch (SandboxConflictException)
        {
            return default;
        }
        catch (BackendUnavailableException)
        {
            // If it was written after all, the next write fails; and who sweeps finds it unclaimed.
            _candidates.GiveBack(candidate);
            throw;
        }

        registry.Replace(candidate, written);
        return claim.ClaimId is null || await YieldsToAsync(written, claim) is not { } other
            ? await OpenAsync(written, claim)
            : (await ResumeAsync(other, claim, CancellationToken.None), null);
    }

    private async Task<(Sandbox? Opened, string? Why)> OpenAsync(Sandbox written, Claim claim)
    {
        var answer = written.AcceptsCommands
            ? await _executors.SendAsync(written, claim.ToRequest())
            : new ClaimAnswer(ClaimOutcome.Failed, "It was not ready any more.");
        if (answer.Outcome == ClaimOutcome.Claimed) return (written, null);
        if (answer.Outcome == ClaimOutcome.ClaimedBefore) return (await SettledAsync(written, claim), null);
        LogNotOpened(written.Name, answer.Reason!);
        await LetGoAsync(written, claim);
        return answer.Outcome == ClaimOutcome.Refused ? throw SandboxException.TokenRefused(written.Name) : (null, answer.Reason);
    }

    private async Task<Sandbox> CreateAsync(Claim claim, CancellationToken cancellationToken)
    {
        var creation = await sandboxes.CreateAllocatedAsync(claim, cancellationToken);
        if (claim.ClaimId is not null && await YieldsToAsync(creation.Sandbox, claim) is { } other && await ResumeAsync(other, claim, cancellationToken) is { } resumed) return resumed;
        return await UntilReadyAsync(creation, claim, cancellationToken);
    }

    private async Task<Sandbox> UntilReadyAsync(SandboxCreation creation, Claim claim, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var told in creation.Events.WithCancellation(cancellationToken))
            {
                if (told is SandboxFailed failed)
                    throw SandboxException.PoolExhausted($"No sandbox of the pool is free, and one that was created for this claim failed. {failed.Reason}", RetryAfter);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && claim.ClaimId is null)
        {
            sandboxes.Discard(creation.Sandbox);
            throw;
        }

        return registry.Find(creation.Sandbox.Name) ?? creation.Sandbox;
    }

    private SandboxException Exhausted() => SandboxException.PoolExhausted(
        options.WarmPoolSize > 0 ? "No sandbox of the pool is free; waitSeconds waits for one, and createIfExhausted starts one." : "There is no pool (WarmPoolSize is 0); ask with createIfExhausted.", RetryAfter);

    private TimeSpan RetryAfter
    {
        get
        {
            var pool = registry.Pool;
            var isComing = pool.Asked > 0 || pool.Sandboxes.Any(sandbox => sandbox is { IsAlive: true, IsReady: false });
            return TimeSpan.FromSeconds(isComing ? 1 : options.PoolBackfillCheckIntervalSeconds);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sandbox {Name} was claimed and is deleted. {Reason}")]
    private partial void LogNotOpened(string name, string reason);
}
