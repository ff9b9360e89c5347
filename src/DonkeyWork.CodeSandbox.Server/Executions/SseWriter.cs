using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>
/// Writes the events of one command as Server-Sent Events, by hand: a constant prefix, the escaped line, a number.
/// A long line goes in several pieces: escaped it may be six times as long, and a reader that stalls must not make the
/// executor hold that. One caller at a time.
/// </summary>
/// <param name="output">The response.</param>
/// <param name="pid">The command's pid, part of every event.</param>
internal sealed class SseWriter(PipeWriter output, int pid)
{
    /// <summary>Room for everything of an event but its text.</summary>
    private const int FrameBytes = 320;

    private readonly byte[] _stdout = Prefix(pid, OutputSource.Stdout);
    private readonly byte[] _stderr = Prefix(pid, OutputSource.Stderr);
    private readonly ResponseBuffer _buffer = new(output);
    private long _lastId;

    /// <summary>Whether anything was collected since the last flush.</summary>
    public bool HasCollected => _buffer.HasCollected;

    /// <summary>An <see cref="OutputEvent"/>. Takes as long as the reader does when it does not fit.</summary>
    /// <param name="source">Where the command wrote it.</param>
    /// <param name="line">The line without its <c>\n</c>, valid UTF-8.</param>
    /// <param name="partial">No <c>\n</c> follows.</param>
    /// <param name="cancellationToken">Ends the waiting; the stream is then broken.</param>
    /// <exception cref="OperationCanceledException">The reader is gone.</exception>
    public async ValueTask OutputAsync(
        OutputSource source, ReadOnlyMemory<byte> line, bool partial, CancellationToken cancellationToken)
    {
        await MakeRoomAsync(cancellationToken);
        _buffer.Append(source == OutputSource.Stdout ? _stdout : _stderr);
        while (true)
        {
            _buffer.Advance(JsonText.Escape(line.Span, _buffer.Free, out var consumed));
            line = line[consumed..];
            if (line.IsEmpty)
                break;
            await MakeRoomAsync(cancellationToken);
        }

        await MakeRoomAsync(cancellationToken);
        _buffer.Append(partial ? "\",\"partial\":true}"u8 : "\"}"u8);
        AppendId();
    }

    /// <summary>The <see cref="CompletedEvent"/>; nothing follows it.</summary>
    /// <exception cref="OperationCanceledException">The reader is gone.</exception>
    public async ValueTask CompletedAsync(int exitCode, bool timedOut, CompletionReason? reason, CancellationToken cancellationToken)
    {
        var reasonField = reason switch
        {
            CompletionReason.TimedOut => ",\"reason\":\"timed_out\"",
            CompletionReason.Killed => ",\"reason\":\"killed\"",
            CompletionReason.OomKilled => ",\"reason\":\"oom_killed\"",
            _ => "",
        };
        var json = string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"$type":"CompletedEvent","pid":{{pid}},"exitCode":{{exitCode}},"timedOut":{{(timedOut ? "true" : "false")}}{{reasonField}}}""");
        await MakeRoomAsync(cancellationToken);
        _buffer.Append("event: CompletedEvent\ndata: "u8);
        _buffer.Append(Encoding.UTF8.GetBytes(json));
        AppendId();
    }

    /// <summary>A comment that only shows that somebody is there.</summary>
    /// <exception cref="OperationCanceledException">The reader is gone.</exception>
    public async ValueTask KeepAliveAsync(CancellationToken cancellationToken)
    {
        await MakeRoomAsync(cancellationToken);
        _buffer.Append(": keepalive\n\n"u8);
    }

    /// <summary>Hands on what was collected. Takes as long as the reader does.</summary>
    /// <exception cref="OperationCanceledException">The reader is gone.</exception>
    public ValueTask FlushAsync(CancellationToken cancellationToken) => _buffer.FlushAsync(cancellationToken);

    private static byte[] Prefix(int pid, OutputSource source) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $$"""event: OutputEvent{{'\n'}}data: {"$type":"OutputEvent","pid":{{pid}},"stream":"{{source}}","data":" """))[..^1];

    private void AppendId()
    {
        _buffer.Append("\nid: "u8);
        _ = (++_lastId).TryFormat(_buffer.Free, out var digits, provider: CultureInfo.InvariantCulture);
        _buffer.Advance(digits);
        _buffer.Append("\n\n"u8);
    }

    private ValueTask MakeRoomAsync(CancellationToken cancellationToken) => _buffer.MakeRoomAsync(FrameBytes, cancellationToken);
}
