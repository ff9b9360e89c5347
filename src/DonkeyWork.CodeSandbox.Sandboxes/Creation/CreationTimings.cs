namespace DonkeyWork.CodeSandbox.Sandboxes.Creation;

/// <summary>How long each phase of a creation took, as far as it could be seen, in milliseconds.</summary>
internal sealed class CreationTimings(TimeProvider clock)
{
    private readonly long _start = clock.GetTimestamp();
    private readonly Dictionary<string, double> _milliseconds = new(StringComparer.Ordinal);
    private long _last = clock.GetTimestamp();
    private bool _running;
    private bool _ready;

    /// <summary><c>accept</c>, <c>start</c> (to running), <c>boot</c> (from running to ready), <c>health</c> (to the executor's answer).</summary>
    public IReadOnlyDictionary<string, double> Milliseconds => _milliseconds;

    /// <summary>The backend has accepted the create.</summary>
    public void Accepted() => Lap("accept");

    /// <summary>Notes the phases that <paramref name="sandbox"/> has reached.</summary>
    public void Note(Sandbox sandbox)
    {
        var wasRunning = _running;
        if (!_running && sandbox.Phase == SandboxPhase.Running)
        {
            _running = true;
            Lap("start");
        }

        if (!_ready && sandbox.IsReady)
        {
            _ready = true;
            // Where both came at once there was no boot to be seen.
            if (wasRunning) Lap("boot");
        }
    }

    /// <summary>The executor has answered. Returns the time from the request to here.</summary>
    public TimeSpan Finish()
    {
        Lap("health");
        return clock.GetElapsedTime(_start);
    }

    private void Lap(string phase)
    {
        var now = clock.GetTimestamp();
        _milliseconds[phase] = Math.Round(clock.GetElapsedTime(_last, now).TotalMilliseconds, 1);
        _last = now;
    }
}
