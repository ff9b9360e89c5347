namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>How a process ended, from wait(2)'s status word.</summary>
internal readonly record struct WaitStatus(int Value)
{
    /// <summary>What a shell adds to a signal's number.</summary>
    public const int SignalBase = 128;

    /// <summary>Whether a signal ended it.</summary>
    public bool IsSignal => (Value & 0x7F) != 0;

    /// <summary>The exit code, or 128 + signal.</summary>
    public int ExitCode => IsSignal ? SignalBase + (Value & 0x7F) : (Value >> 8) & 0xFF;
}
