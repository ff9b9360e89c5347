namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>What brings the pool to its size.</summary>
/// <param name="Creates">How many to create.</param>
/// <param name="Removals">Which to remove, unless they have changed.</param>
internal sealed record PoolPlan(int Creates, IReadOnlyList<Sandbox> Removals)
{
    /// <param name="pool">What there is.</param>
    /// <param name="target">How many of the current template there should be.</param>
    /// <param name="template">The current one.</param>
    /// <param name="isFull">Whether there is no room for another sandbox.</param>
    public static PoolPlan Of(PoolView pool, int target, string template, bool isFull)
    {
        // One whose machine is lost may come back, and is of no use until then.
        var alive = pool.Sandboxes.Where(sandbox => sandbox is { IsAlive: true, IsCutOff: false }).ToLookup(sandbox => sandbox.Template == template);
        var (current, outdated) = (alive[true].ToList(), alive[false].ToList());

        // The least useful first; of another leader's, one that came after its time.
        var surplus = current.OrderBy(sandbox => sandbox.IsReady).ThenBy(sandbox => sandbox.Epoch).ThenBy(sandbox => sandbox.CreatedAt)
            .Take(current.Count - target).ToList();
        var kept = current.Except(surplus).ToList();
        var unready = kept.Count(sandbox => !sandbox.IsReady) + pool.Asked;

        // An outdated one goes when it is not missed; or to make room, one at a time, when none could be made beside it.
        var spare = outdated.Count(sandbox => sandbox.IsReady) + kept.Count(sandbox => sandbox.IsReady) - target;
        var creates = Math.Max(0, target - kept.Count - pool.Asked);
        if (isFull && creates > 0 && unready == 0) spare = Math.Max(spare, 1);
        var replaced = outdated.Where(sandbox => sandbox.IsReady).OrderBy(sandbox => sandbox.CreatedAt).Take(spare);

        return new PoolPlan(isFull ? 0 : creates, [
            .. pool.Sandboxes.Where(sandbox => sandbox is { HasEnded: true, IsDeleting: false }),
            .. outdated.Where(sandbox => !sandbox.IsReady),
            .. surplus,
            .. replaced,
        ]);
    }
}
