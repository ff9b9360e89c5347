using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>One execution as the caller of <c>/execute</c> sees it: the lines of its log as events.</summary>
/// <param name="writer">Writes the events.</param>
internal sealed class LineStream(SseWriter writer) : IEventStream
{
    private readonly (Utf8Repair Text, LineSplitter Lines)[] _sources = [(new(), new()), (new(), new())];
    private long _position;

    public bool HasCollected => writer.HasCollected;

    public bool HoldsBack => false;

    public long Position => _position;

    /// <summary>The lines say it.</summary>
    public ValueTask StartedAsync(ExecutionStarted started, CancellationToken cancellationToken) => default;

    public async ValueTask OutputAsync(LogItem item, CancellationToken cancellationToken)
    {
        var source = item.Channel == OutputChannel.Stderr ? OutputSource.Stderr : OutputSource.Stdout;
        var (repair, lines) = _sources[(int)source];
        await WriteLinesAsync(source, lines, repair.Next(item.Bytes), cancellationToken);
        _position = item.Position;
    }

    /// <summary>Nothing is ever lost on the way to the one reader that the command waits for.</summary>
    public ValueTask TruncatedAsync(LogItem item, CancellationToken cancellationToken) =>
        throw new InvalidOperationException($"{item.Count} bytes of {item.Channel} were lost.");

    public ValueTask ReleaseAsync(CancellationToken cancellationToken) => default;

    /// <summary>The unfinished last lines and how the command ended.</summary>
    public async ValueTask ExitedAsync(ExecutionState state, long position, CancellationToken cancellationToken)
    {
        foreach (var source in (OutputSource[])[OutputSource.Stdout, OutputSource.Stderr])
        {
            var (repair, lines) = _sources[(int)source];
            await WriteLinesAsync(source, lines, repair.Finish(), cancellationToken);
            if (lines.TryFinish(out var last))
                await writer.OutputAsync(source, last, partial: true, cancellationToken);
        }

        var reason = state.Reason switch
        {
            ExitReason.TimedOut => CompletionReason.TimedOut,
            ExitReason.Killed => CompletionReason.Killed,
            ExitReason.OomKilled => CompletionReason.OomKilled,
            _ => (CompletionReason?)null,
        };
        await writer.CompletedAsync(state.ExitCode ?? 0, reason == CompletionReason.TimedOut, reason, cancellationToken);
    }

    public ValueTask KeepAliveAsync(CancellationToken cancellationToken) => writer.KeepAliveAsync(cancellationToken);

    public ValueTask FlushAsync(CancellationToken cancellationToken) => writer.FlushAsync(cancellationToken);

    private async ValueTask WriteLinesAsync(
        OutputSource source, LineSplitter lines, ReadOnlyMemory<byte> text, CancellationToken cancellationToken)
    {
        while (lines.TryTake(ref text, out var line, out var partial))
            await writer.OutputAsync(source, line, partial, cancellationToken);
    }
}
