using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Tests.Running;

/// <summary>One event of an execution, whichever framing brought it; <c>keepalive</c> where it was no event.</summary>
internal sealed record ExecutionItem(string Name, long Position)
{
    public const string KeepAlive = "keepalive";

    public ExecutionStarted? Started { get; init; }

    public OutputChannel? Channel { get; init; }

    /// <summary>Of output.</summary>
    public byte[] Bytes { get; init; } = [];

    /// <summary>Of output in text events: the text, where it came as text.</summary>
    public string? Text { get; init; }

    public long Truncated { get; init; }

    public ExecutionState? Exited { get; init; }

    public static ExecutionItem Parse(string name, long position, string json) => name switch
    {
        ExecutionEventNames.Started => new(name, position)
        {
            Started = JsonSerializer.Deserialize(json, ContractsJsonContext.Default.ExecutionStarted),
        },
        ExecutionEventNames.Output => Output(position, JsonSerializer.Deserialize(json, ContractsJsonContext.Default.ExecutionOutput)!),
        ExecutionEventNames.Truncated => Lost(position, JsonSerializer.Deserialize(json, ContractsJsonContext.Default.ExecutionTruncated)!),
        ExecutionEventNames.Exited => new(name, position)
        {
            Exited = JsonSerializer.Deserialize(json, ContractsJsonContext.Default.ExecutionState),
        },
        _ => throw new InvalidDataException($"There is no event {name}."),
    };

    private static ExecutionItem Output(long position, ExecutionOutput output)
    {
        (output.Data is null).ShouldNotBe(output.Base64 is null);
        return new ExecutionItem(ExecutionEventNames.Output, position)
        {
            Channel = output.Stream,
            Text = output.Data,
            Bytes = output.Base64 ?? Encoding.UTF8.GetBytes(output.Data!),
        };
    }

    private static ExecutionItem Lost(long position, ExecutionTruncated truncated) =>
        new(ExecutionEventNames.Truncated, position) { Channel = truncated.Stream, Truncated = truncated.Bytes };
}
