using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>
/// Writes the events of one command as Server-Sent Events, by hand: a constant prefix, the escaped line, a number.
/// Collects them and hands them on in large pieces. One caller at a time.
/// </summary>
/// <param name="output">The response.</param>
/// <param name="pid">The command's pid, part of every event.</param>
internal sealed class SseWriter(PipeWriter output, int pid)
{
    /// <summary>Bytes collected after which a writer of many events should flush.</summary>
    public const int FlushBytes = 64 * 1024;

    private const int InitialBytes = 4 * 1024;
    private const int KeptBytes = 4 * FlushBytes;

    /// <summary>Room for everything of an event but its text.</summary>
    private const int FrameBytes = 160;

    private readonly byte[] _stdout = Prefix(pid, OutputSource.Stdout);
    private readonly byte[] _stderr = Prefix(pid, OutputSource.Stderr);
    private byte[] _buffer = new byte[InitialBytes];
    private int _count;
    private long _lastId;

    /// <summary>Bytes collected since the last flush.</summary>
    public int Collected => _count;

    /// <summary>An <see cref="OutputEvent"/>.</summary>
    /// <param name="source">Where the command wrote it.</param>
    /// <param name="line">The line without its <c>\n</c>, valid UTF-8.</param>
    /// <param name="partial">No <c>\n</c> follows.</param>
    public void Output(OutputSource source, ReadOnlySpan<byte> line, bool partial)
    {
        Reserve(FrameBytes + line.Length);
        Append(source == OutputSource.Stdout ? _stdout : _stderr);
        while (true)
        {
            _count += JsonText.Escape(line, _buffer.AsSpan(_count), out var consumed);
            line = line[consumed..];
            if (line.IsEmpty)
                break;
            Reserve(FrameBytes + line.Length);
        }

        Reserve(FrameBytes);
        Append(partial ? "\",\"partial\":true}"u8 : "\"}"u8);
        AppendId();
    }

    /// <summary>The <see cref="CompletedEvent"/>; nothing follows it.</summary>
    public void Completed(int exitCode, bool timedOut, CompletionReason? reason)
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
        Reserve(2 * FrameBytes);
        Append("event: CompletedEvent\ndata: "u8);
        Append(Encoding.UTF8.GetBytes(json));
        AppendId();
    }

    /// <summary>A comment that only shows that somebody is there.</summary>
    public void KeepAlive()
    {
        Reserve(FrameBytes);
        Append(": keepalive\n\n"u8);
    }

    /// <summary>Hands on what was collected. Takes as long as the reader does.</summary>
    /// <exception cref="OperationCanceledException">The reader is gone.</exception>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var result = await output.WriteAsync(_buffer.AsMemory(0, _count), cancellationToken);
        _count = 0;
        if (_buffer.Length > KeptBytes)
            _buffer = new byte[InitialBytes];
        if (result.IsCompleted || result.IsCanceled)
            throw new OperationCanceledException("The reader is gone.");
    }

    private static byte[] Prefix(int pid, OutputSource source) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $$"""event: OutputEvent{{'\n'}}data: {"$type":"OutputEvent","pid":{{pid}},"stream":"{{source}}","data":" """))[..^1];

    private void AppendId()
    {
        Append("\nid: "u8);
        _ = (++_lastId).TryFormat(_buffer.AsSpan(_count), out var digits, provider: CultureInfo.InvariantCulture);
        _count += digits;
        Append("\n\n"u8);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer.AsSpan(_count));
        _count += bytes.Length;
    }

    private void Reserve(int bytes)
    {
        if (_buffer.Length - _count < bytes)
            Array.Resize(ref _buffer, Math.Max(_count + bytes, 2 * _buffer.Length));
    }
}
