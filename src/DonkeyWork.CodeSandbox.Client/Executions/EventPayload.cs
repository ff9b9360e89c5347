using System.Text.Json;
using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Executions;

/// <summary>The JSON of an event's frame.</summary>
internal static class EventPayload
{
    /// <summary>The event, or <see langword="null"/> where it is none of the contract's.</summary>
    public static ProcessEvent? Parse(long position, ReadOnlyMemory<byte> payload)
    {
        try
        {
            using var document = JsonDocument.Parse(payload);
            var json = document.RootElement;
            return json.GetProperty("event").GetString() switch
            {
                ExecutionEventNames.Started when Of<ExecutionStarted>(json) is { } started =>
                    new ProcessStarted { Position = position, Pid = started.Pid },
                ExecutionEventNames.Truncated when Of<ExecutionTruncated>(json) is { Bytes: >= 0 } lost && Enum.IsDefined(lost.Stream) =>
                    new OutputTruncated { Position = position, Channel = lost.Stream, Bytes = lost.Bytes },
                ExecutionEventNames.Exited when Of<ExecutionState>(json) is { } state => new ProcessExited { Position = position, State = state },
                _ => null,
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            // No JSON, no object, no name, or a name that is no string.
            return null;
        }
    }

    private static T? Of<T>(JsonElement json) => json.Deserialize(ServerConnection.TypeInfo<T>());
}
