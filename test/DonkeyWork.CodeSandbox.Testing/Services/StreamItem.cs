using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>What an execution's stream says, in either framing: bytes of a channel, or an event.</summary>
/// <param name="Name">The event's name; of bytes <c>output</c>.</param>
/// <param name="Position">The position in the log behind it.</param>
/// <param name="Channel">Of bytes: where they were printed.</param>
/// <param name="Bytes">Of bytes: what.</param>
/// <param name="Json">Of an event: its data.</param>
public sealed record StreamItem(string Name, long Position, string? Channel, byte[] Bytes, JsonElement Json)
{
    public static StreamItem Output(long position, string channel, byte[] bytes) => new(ExecutionEventNames.Output, position, channel, bytes, default);

    public static StreamItem Event(string name, long position, JsonElement json) => new(name, position, null, [], json);

    /// <summary>Of <c>truncated</c>: how many bytes; else 0.</summary>
    public long TruncatedBytes => Name == ExecutionEventNames.Truncated ? Json.GetProperty("bytes").GetInt64() : 0;
}

/// <summary>The two framings.</summary>
public enum Framing
{
    /// <summary>Server-Sent Events.</summary>
    Events,

    /// <summary>Binary frames.</summary>
    Frames,
}
