namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>One at a time for each key; those who wait come in order.</summary>
internal sealed class Turns<TKey>
    where TKey : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<TKey, Turn> _turns = [];

    /// <summary>Waits for its turn, which lasts until the result is disposed.</summary>
    public async Task<IDisposable> EnterAsync(TKey key, CancellationToken cancellationToken)
    {
        Turn turn;
        lock (_gate)
        {
            if (!_turns.TryGetValue(key, out turn!)) _turns[key] = turn = new Turn(this, key);
            turn.Users++;
        }

        try
        {
            await turn.Gate.WaitAsync(cancellationToken);
            return turn;
        }
        catch
        {
            Leave(turn);
            throw;
        }
    }

    private void Leave(Turn turn)
    {
        lock (_gate)
        {
            if (--turn.Users > 0) return;
            _turns.Remove(turn.Key);
            turn.Gate.Dispose();
        }
    }

    private sealed class Turn(Turns<TKey> turns, TKey key) : IDisposable
    {
        public SemaphoreSlim Gate { get; } = new(1);

        public TKey Key => key;

        public int Users { get; set; }

        public void Dispose()
        {
            Gate.Release();
            turns.Leave(this);
        }
    }
}
