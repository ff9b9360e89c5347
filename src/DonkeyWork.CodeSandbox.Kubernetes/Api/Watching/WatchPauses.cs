using DonkeyWork.CodeSandbox.Kubernetes.Api.Requests;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;

/// <summary>How long a watch waits before it tries again: longer each time, never so long that a server that is back goes unnoticed.</summary>
internal sealed class WatchPauses
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestWanted = TimeSpan.FromSeconds(30);

    private TimeSpan _next = Shortest;

    /// <summary>The next pause.</summary>
    /// <param name="wanted">What the server asks for.</param>
    public TimeSpan Next(TimeSpan? wanted)
    {
        var pause = RetryPolicy.Jittered(_next);
        _next = _next * 2 < Longest ? _next * 2 : Longest;
        if (wanted is not { } asked || asked < pause) return pause;
        return asked < LongestWanted ? asked : LongestWanted;
    }

    /// <summary>Something went well.</summary>
    public void Reset() => _next = Shortest;
}
