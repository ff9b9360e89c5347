namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>
/// Which sandbox of the pool a claim tries next, each offered once in this process; and the line of those who wait for one.
/// It decides nothing: the claim's write does.
/// </summary>
internal sealed class Candidates(SandboxRegistry registry, string template, OwnedTasks tasks, TimeProvider clock)
{
    // Long before that the view has shown what came of a claim.
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _taken = new(StringComparer.Ordinal);
    private readonly Queue<(string Uid, long At)> _takenInOrder = new();
    private readonly LinkedList<TaskCompletionSource<Sandbox>> _line = new();
    private bool _isServing;

    /// <summary>Takes one that is ready, of the current template where there is one; at random among those, so that Managers do not meet.</summary>
    /// <param name="atMost">How long to wait where none is free; who does not wait does not overtake those who do.</param>
    /// <param name="isFirst">Whether this claim has had one before, and so goes before all others.</param>
    /// <param name="cancellationToken">Leaves the line.</param>
    /// <returns><see langword="null"/>: none was free in that time.</returns>
    public async ValueTask<Sandbox?> TakeAsync(TimeSpan atMost, bool isFirst, CancellationToken cancellationToken)
    {
        LinkedListNode<TaskCompletionSource<Sandbox>> place;
        lock (_gate)
        {
            if ((isFirst || _line.Count == 0) && Take() is { } free) return free;
            if (atMost <= TimeSpan.Zero) return null;
            place = new(new TaskCompletionSource<Sandbox>(TaskCreationOptions.RunContinuationsAsynchronously));
            if (isFirst) _line.AddFirst(place);
            else _line.AddLast(place);
            if (!_isServing) tasks.Run("Serving the claims that wait", ServeAsync);
            _isServing = true;
        }

        var served = place.Value.Task;
        await ((Task)served).WaitAsync(atMost, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            if (place.List is not null) _line.Remove(place);
        }

        var sandbox = served.IsCompleted ? await served : null;
        if (sandbox is not null && cancellationToken.IsCancellationRequested) GiveBack(sandbox);
        cancellationToken.ThrowIfCancellationRequested();
        return sandbox;
    }

    /// <summary>It was not claimed after all, or that is not known: the next claim may try it.</summary>
    public void GiveBack(Sandbox sandbox)
    {
        lock (_gate)
        {
            _taken.Remove(sandbox.Uid);
            ServeThoseWhoWait();
        }
    }

    private async Task ServeAsync(CancellationToken stopping)
    {
        while (true)
        {
            var change = registry.Pool.Change;
            lock (_gate)
            {
                ServeThoseWhoWait();
                _isServing = _line.Count > 0;
                if (!_isServing) return;
            }

            await change.WaitAsync(stopping);
        }
    }

    private void ServeThoseWhoWait()
    {
        while (_line.First is { } first && Take() is { } sandbox)
        {
            _line.RemoveFirst();
            first.Value.SetResult(sandbox);
        }
    }

    private Sandbox? Take()
    {
        Forget();
        Sandbox? best = null;
        var equals = 0;
        foreach (var sandbox in registry.Pool.Sandboxes)
        {
            if (!sandbox.AcceptsCommands || _taken.ContainsKey(sandbox.Uid)) continue;
            var isCurrent = sandbox.Template == template;
            if (best is not null && (best.Template == template) != isCurrent)
            {
                if (!isCurrent) continue;
                equals = 0;
            }

            // The k-th of equals takes the place with 1/k, which makes all of them as likely.
            if (Random.Shared.Next(++equals) == 0) best = sandbox;
        }

        if (best is null) return null;
        var now = clock.GetTimestamp();
        _taken[best.Uid] = now;
        _takenInOrder.Enqueue((best.Uid, now));
        return best;
    }

    private void Forget()
    {
        while (_takenInOrder.TryPeek(out var oldest) && clock.GetElapsedTime(oldest.At) >= Memory)
        {
            _takenInOrder.Dequeue();
            // Given back and taken again since then, it has a later entry.
            if (_taken.TryGetValue(oldest.Uid, out var at) && at == oldest.At) _taken.Remove(oldest.Uid);
        }
    }
}
