using System.Globalization;
using System.IO.Pipelines;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>
/// What Server-Sent Events have in common, whatever they say. Long text goes in several pieces: escaped it may be six times as
/// long, and a reader that stalls must not make the executor hold that.
/// </summary>
/// <param name="output">The response.</param>
internal sealed class SseBuffer(PipeWriter output) : ResponseBuffer(output)
{
    /// <summary>What such a response is.</summary>
    public const string MediaType = "text/event-stream";

    /// <summary>Room for everything of an event but its text.</summary>
    private const int FrameBytes = 320;

    /// <summary>A comment that only shows that somebody is there.</summary>
    public static readonly byte[] KeepAlive = ": keepalive\n\n"u8.ToArray();

    /// <summary>Makes room for everything of an event but its text.</summary>
    /// <exception cref="OperationCanceledException">The reader is gone.</exception>
    public ValueTask MakeRoomAsync(CancellationToken cancellationToken) => MakeRoomAsync(FrameBytes, cancellationToken);

    /// <summary>Adds text as the inside of a JSON string, behind what there was room for; there is room again behind it.</summary>
    /// <param name="text">Valid UTF-8.</param>
    /// <param name="cancellationToken">Ends the waiting; the stream is then broken.</param>
    /// <exception cref="OperationCanceledException">The reader is gone.</exception>
    public async ValueTask AppendEscapedAsync(ReadOnlyMemory<byte> text, CancellationToken cancellationToken)
    {
        while (!text.IsEmpty)
        {
            Advance(JsonText.Escape(text.Span, Free, out var consumed));
            text = text[consumed..];
            await MakeRoomAsync(cancellationToken);
        }
    }

    /// <summary>Adds the end of an event.</summary>
    public void AppendId(long id)
    {
        Append("\nid: "u8);
        _ = id.TryFormat(Free, out var digits, provider: CultureInfo.InvariantCulture);
        Advance(digits);
        Append("\n\n"u8);
    }

    /// <summary>Adds <see cref="KeepAlive"/>.</summary>
    /// <exception cref="OperationCanceledException">The reader is gone.</exception>
    public async ValueTask KeepAliveAsync(CancellationToken cancellationToken)
    {
        await MakeRoomAsync(cancellationToken);
        Append(KeepAlive);
    }
}
