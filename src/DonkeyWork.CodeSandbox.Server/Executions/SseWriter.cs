using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>
/// Writes the events of one command as Server-Sent Events, by hand: a constant prefix, the escaped line, a number.
/// One caller at a time.
/// </summary>
/// <param name="output">The response.</param>
/// <param name="pid">The command's pid, part of every event.</param>
internal sealed class SseWriter(PipeWriter output, int pid)
{
    private readonly byte[] _stdout = Prefix(pid, OutputSource.Stdout);
    private readonly byte[] _stderr = Prefix(pid, OutputSource.Stderr);
    private readonly SseBuffer _buffer = new(output);
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
        await _buffer.MakeRoomAsync(cancellationToken);
        _buffer.Append(source == OutputSource.Stdout ? _stdout : _stderr);
        await _buffer.AppendEscapedAsync(line, cancellationToken);
        _buffer.Append(partial ? "\",\"partial\":true}"u8 : "\"}"u8);
        _buffer.AppendId(++_lastId);
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
        await _buffer.MakeRoomAsync(cancellationToken);
        _buffer.Append("event: CompletedEvent\ndata: "u8);
        _buffer.Append(Encoding.UTF8.GetBytes(json));
        _buffer.AppendId(++_lastId);
    }

    /// <summary>A comment that only shows that somebody is there.</summary>
    /// <exception cref="OperationCanceledException">The reader is gone.</exception>
    public ValueTask KeepAliveAsync(CancellationToken cancellationToken) => _buffer.KeepAliveAsync(cancellationToken);

    /// <summary>Hands on what was collected. Takes as long as the reader does.</summary>
    /// <exception cref="OperationCanceledException">The reader is gone.</exception>
    public ValueTask FlushAsync(CancellationToken cancellationToken) => _buffer.FlushAsync(cancellationToken);

    private static byte[] Prefix(int pid, OutputSource source) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $$"""event: OutputEvent{{'\n'}}data: {"$type":"OutputEvent","pid":{{pid}},"stream":"{{source}}","data":" """))[..^1];
}
