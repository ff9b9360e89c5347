namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>Pauses after failures: 1 s, doubling to 60 s, up to a quarter less by chance.</summary>
internal sealed class BackOff(TimeProvider clock)
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private TimeSpan _next = First;
    private TimeSpan _pause;
    private long _since;

    /// <summary>How much of the pause is left; zero or less: none.</summary>
    public TimeSpan Left => _pause - clock.GetElapsedTime(_since);

    /// <summary>Something failed. What fails during a pause was begun before it, and says nothing new.</summary>
    public void Fail()
    {
        if (Left > TimeSpan.Zero) return;
        _pause = _next * (1 - Random.Shared.NextDouble() / 4);
        _since = clock.GetTimestamp();
        _next = _next * 2 < Longest ? _next * 2 : Longest;
    }

    /// <summary>Something succeeded.</summary>
    public void Reset()
    {
        _pause = TimeSpan.Zero;
        _next = First;
    }
}
