using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Executions;

/// <summary>A frame of an execution's log: an event, or output.</summary>
/// <param name="Position">The position behind it.</param>
/// <param name="Event">The event, where it is one.</param>
/// <param name="Channel">Of output: where it was printed.</param>
/// <param name="Output">The bytes, until the next frame is read.</param>
internal readonly record struct LogFrame(long Position, ProcessEvent? Event, OutputChannel Channel, ReadOnlyMemory<byte> Output);
