namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>What the filler remembers of the pool's sandboxes beside what the view says of them.</summary>
internal sealed class PoolMemory
{
    private readonly HashSet<string> _wereReady = new(StringComparer.Ordinal);
    private readonly HashSet<string> _haveFailed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _removed = new(StringComparer.Ordinal);

    /// <summary>One that ends before it was ever ready is as bad as a create that fails; one that becomes ready makes good for all.</summary>
    public void Note(PoolView pool, BackOff backOff)
    {
        foreach (var sandbox in pool.Sandboxes)
        {
            if (sandbox.AcceptsCommands && _wereReady.Add(sandbox.Uid)) backOff.Reset();
            else if (sandbox.HasEnded && !_wereReady.Contains(sandbox.Uid) && _haveFailed.Add(sandbox.Uid)) backOff.Fail();
        }
    }

    /// <summary><see langword="false"/>: its removal was asked for in this version already, and was refused if it is still there.</summary>
    public bool TryRemove(Sandbox sandbox)
    {
        if (_removed.GetValueOrDefault(sandbox.Uid) == sandbox.Version) return false;
        _removed[sandbox.Uid] = sandbox.Version;
        return true;
    }

    /// <summary>Forgets what is not in the pool any more, and what was refused.</summary>
    public void Prune(PoolView pool)
    {
        var uids = pool.Sandboxes.Select(sandbox => sandbox.Uid).ToHashSet(StringComparer.Ordinal);
        _wereReady.IntersectWith(uids);
        _haveFailed.IntersectWith(uids);
        _removed.Clear();
    }
}
