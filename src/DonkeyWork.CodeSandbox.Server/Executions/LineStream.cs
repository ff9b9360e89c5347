using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>One execution as its caller sees it: lines of both streams as events, and a sign of life in silence.</summary>
/// <param name="writer">Writes the events.</param>
/// <param name="timeProvider">Measures the silence.</param>
/// <param name="callerGone">Cancelled when nobody reads any more.</param>
internal sealed class LineStream(SseWriter writer, TimeProvider timeProvider, CancellationToken callerGone) : IDisposable
{
    /// <summary>The longest silence.</summary>
    public static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(10);

    private readonly (Utf8Repair Text, LineSplitter Lines)[] _sources = [(new(), new()), (new(), new())];
    private readonly SemaphoreSlim _gate = new(1);
    private long _lastWrite = timeProvider.GetTimestamp();

    /// <summary>
    /// Writes the lines that <paramref name="bytes"/> complete. Returns when the caller has taken them, or nearly: until then
    /// nobody reads more of the command's output.
    /// </summary>
    public async ValueTask WriteAsync(OutputSource source, ReadOnlyMemory<byte> bytes)
    {
        await _gate.WaitAsync(callerGone);
        try
        {
            var (repair, lines) = _sources[(int)source];
            await WriteLinesAsync(source, lines, repair.Next(bytes));
            await FlushAsync();
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Writes the unfinished last lines and how the command ended.</summary>
    public async Task CompleteAsync(int exitCode, bool timedOut, CompletionReason? reason)
    {
        await _gate.WaitAsync(callerGone);
        try
        {
            foreach (var source in (ReadOnlySpan<OutputSource>)[OutputSource.Stdout, OutputSource.Stderr])
                Finish(source);
            writer.Completed(exitCode, timedOut, reason);
            await FlushAsync();
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Breaks every silence until cancelled.</summary>
    public async Task KeepAliveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var silence = timeProvider.GetElapsedTime(Interlocked.Read(ref _lastWrite));
            if (silence < KeepAliveInterval)
            {
                await Task.Delay(KeepAliveInterval - silence, timeProvider, cancellationToken);
                continue;
            }

            await _gate.WaitAsync(cancellationToken);
            try
            {
                writer.KeepAlive();
                await FlushAsync();
            }
            finally
            {
                _gate.Release();
            }
        }
    }

    public void Dispose() => _gate.Dispose();

    private void Finish(OutputSource source)
    {
        var (repair, lines) = _sources[(int)source];
        var text = repair.Finish();
        while (lines.TryTake(ref text, out var line, out var partial))
            writer.Output(source, line.Span, partial);
        if (lines.TryFinish(out var last))
            writer.Output(source, last.Span, partial: true);
    }

    private async ValueTask WriteLinesAsync(OutputSource source, LineSplitter lines, ReadOnlyMemory<byte> text)
    {
        while (lines.TryTake(ref text, out var line, out var partial))
        {
            writer.Output(source, line.Span, partial);
            if (writer.Collected >= SseWriter.FlushBytes)
                await FlushAsync();
        }
    }

    private async ValueTask FlushAsync()
    {
        if (writer.Collected == 0)
            return;
        await writer.FlushAsync(callerGone);
        Interlocked.Exchange(ref _lastWrite, timeProvider.GetTimestamp());
    }
}
