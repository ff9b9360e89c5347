using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;
using DonkeyWork.CodeSandbox.Sandboxes.Expiry;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>
/// Claims with an id, which may be made again, here or on another Manager, and always give the same sandbox. Of two that
/// were written at once the earlier stays, unless the later was opened first by a Manager that cannot have seen the earlier.
/// </summary>
public sealed partial class WarmPool
{
    private readonly ActivityWriter _activity = new(registry, backend);
    private readonly ExpiryRules _rules = new(options);

    private async Task<Sandbox> ClaimOnceAsync(Claim claim, CancellationToken cancellationToken)
    {
        using var turn = await _turns.EnterAsync((claim.Owner, claim.ClaimId!), cancellationToken);
        return await TriesOfAsync(claim) is [var earliest, ..] && await ResumeAsync(earliest, claim, cancellationToken) is { } resumed
            ? resumed
            : await ClaimAnewAsync(claim, cancellationToken);
    }

    // Read live: another Manager may have written the claim a moment ago. The same order for everybody who looks. What is
    // past its lifetime goes with the next sweep, whoever has it.
    private async Task<List<Sandbox>> TriesOfAsync(Claim claim)
    {
        var owned = await backend.ListOwnedAsync(claim.Owner, CancellationToken.None);
        var now = clock.GetUtcNow();
        return
        [
            .. owned.Where(sandbox => sandbox.ClaimId == claim.ClaimId && sandbox.IsAlive && !_rules.IsExpired(sandbox, now))
                .OrderBy(sandbox => sandbox.AllocatedAt)
                .ThenBy(sandbox => sandbox.Uid, StringComparer.Ordinal),
        ];
    }

    // After ours is written, and before it is opened: the one that stays instead of it, where there is one.
    private async Task<Sandbox?> YieldsToAsync(Sandbox ours, Claim claim)
    {
        var tries = await TriesOfAsync(claim);
        var stays = tries.Count > 0 && tries[0].Uid != ours.Uid ? tries[0] : null;
        foreach (var later in stays is null ? tries.Skip(1) : [])
        {
            // Who wrote it may have looked before ours was there. Opening it asks and settles that in one; where it does not
            // answer it may be in use, unless it has been deleted for ours by now.
            if ((await _executors.SendAsync(later, claim.ToRequest())).Outcome == ClaimOutcome.Claimed) sandboxes.Discard(later);
            else if (await registry.ReadAsync(later.Name, CancellationToken.None) is { IsAlive: true } live && live.Uid == later.Uid) stays = later;
        }

        return stays is not null && await GivesUpAsync(ours) ? stays : null;
    }

    // What yet another try of the claim has taken up by now has a recorded use, and is given out already: it is not given up.
    private async Task<bool> GivesUpAsync(Sandbox ours)
    {
        for (var seen = ours; seen is { IsAlive: true } && seen.Uid == ours.Uid; seen = await registry.ReadAsync(ours.Name, CancellationToken.None))
        {
            if (seen.LastActivity is not null) return false;
            if (await sandboxes.RemoveUnchangedAsync(seen, "its claim has another one, or could not open it", CancellationToken.None)) return true;
        }

        return true;
    }

    // Another try of this claim has opened ours: to have it, or to keep us from it because it has an earlier one.
    private async Task<Sandbox?> SettledAsync(Sandbox ours, Claim claim)
    {
        if (await TriesOfAsync(claim) is not [var earliest, ..]) return null;
        if (earliest.Uid == ours.Uid || !await GivesUpAsync(ours)) return ours;
        return await ResumeAsync(earliest, claim, CancellationToken.None);
    }

    // Ours was not opened by us. Another try of the claim may have done it: that has recorded a use before, and keeps it.
    private async Task LetGoAsync(Sandbox ours, Claim claim)
    {
        if (claim.ClaimId is null) sandboxes.Discard(ours);
        else await GivesUpAsync(ours);
    }

    // Null: it is gone, or was never in use and does not answer.
    private async Task<Sandbox?> ResumeAsync(Sandbox found, Claim claim, CancellationToken cancellationToken)
    {
        if (found.Phase == SandboxPhase.Pending) found = await UntilReadyAsync(sandboxes.Follow(found), claim, cancellationToken);
        if (!found.AcceptsCommands) throw found.IsCutOff ? SandboxException.ExecutorUnreachable(found.Name, why: found.Message) : SandboxException.NotReady(found.Name);
        if (await TouchAsync(found) is not { } touched) return null;
        var answer = await _executors.SendAsync(touched, claim.ToRequest());
        if (answer.Outcome is ClaimOutcome.Claimed or ClaimOutcome.ClaimedBefore) return touched;
        if (answer.Outcome == ClaimOutcome.Refused) throw SandboxException.TokenRefused(found.Name);
        // Uses of its first seconds are recorded nowhere; and what nobody had opened in its first minute was deleted.
        if (found.LastActivity is not null || ExpiryRules.IsClaimOver(found, clock.GetUtcNow())) throw SandboxException.ExecutorUnreachable(found.Name, why: answer.Reason);
        LogNotOpened(found.Name, answer.Reason!);
        sandboxes.Discard(found);
        return null;
    }

    // Written before it is given out again: who has judged it unused then fails to delete it. Null: it is gone.
    private async Task<Sandbox?> TouchAsync(Sandbox found)
    {
        try
        {
            return await _activity.AdvanceAsync(found, _ => clock.GetUtcNow(), CancellationToken.None);
        }
        catch (SandboxConflictException)
        {
            // So does a delete of what was seen before.
            return found;
        }
        catch (SandboxException e) when (e.Code == ErrorCodes.SandboxNotFound)
        {
            return null;
        }
    }
}
