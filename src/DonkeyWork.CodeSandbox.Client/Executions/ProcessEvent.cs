using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>
/// What an execution says: <see cref="ProcessStarted"/> first (unless read from behind it), any number of
/// <see cref="ProcessOutput"/> and <see cref="OutputTruncated"/>, and exactly one <see cref="ProcessExited"/> last.
/// </summary>
public abstract record ProcessEvent
{
    private protected ProcessEvent()
    {
    }

    /// <summary>
    /// The position behind this event in the execution's log. Given to <see cref="Execution.ReadEventsAsync"/>, reading goes on
    /// from here: in this process or another, minutes or hours later. Whoever does keeps <see cref="ProcessOutput.Data"/>, not the texts:
    /// a character may have begun before it and end behind it.
    /// </summary>
    public required long Position { get; init; }
}

/// <summary>The process runs.</summary>
public sealed record ProcessStarted : ProcessEvent
{
    internal ProcessStarted()
    {
    }

    /// <summary>Its id inside the sandbox.</summary>
    public required int Pid { get; init; }
}

/// <summary>A chunk of output, of at most 64 KiB, exactly as it was printed. Chunks end anywhere.</summary>
public sealed record ProcessOutput : ProcessEvent
{
    internal ProcessOutput()
    {
    }

    /// <summary>Where it was printed.</summary>
    public required OutputChannel Channel { get; init; }

    /// <summary>The bytes.</summary>
    public required ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>
    /// The chunk as UTF-8. A character cut by the end of a chunk is in the text of its channel's next one, so that the texts
    /// together are the text that was printed; bytes that are not UTF-8 are U+FFFD. One that is still unfinished when the process ends is in no
    /// text, only in <see cref="Data"/>; and of one that began before the position from which the events are read only U+FFFD is left.
    /// </summary>
    public required string Text { get; init; }
}

/// <summary>These bytes are lost to this reader: it was further behind than what is kept.</summary>
public sealed record OutputTruncated : ProcessEvent
{
    internal OutputTruncated()
    {
    }

    /// <summary>Where they were printed.</summary>
    public required OutputChannel Channel { get; init; }

    /// <summary>How many they were.</summary>
    public required long Bytes { get; init; }
}

/// <summary>It has ended. Last.</summary>
public sealed record ProcessExited : ProcessEvent
{
    internal ProcessExited()
    {
    }

    /// <summary>How: exit code, signal, reason, CPU time, memory.</summary>
    public required ExecutionState State { get; init; }
}
