namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>How a process ended, from wait(2)'s status word.</summary>
internal readonly record struct WaitStatus(int Value)
{
    /// <summary>What a shell adds to a signal's number.</summary>
    public const int SignalBase = 128;

    /// <summary>Whether a signal ended it.</summary>
    public bool IsSignal => Signal != 0;

    /// <summary>The signal that ended it, or 0.</summary>
    public int Signal => Value & 0x7F;

    /// <summary>The exit code, or 128 + signal.</summary>
    public int ExitCode => IsSignal ? SignalBase + Signal : (Value >> 8) & 0xFF;
}
