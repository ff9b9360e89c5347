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
            foreach (var source in (OutputSource[])[OutputSource.Stdout, OutputSource.Stderr])
                await FinishAsync(source);
            await writer.CompletedAsync(exitCode, timedOut, reason, callerGone);
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
                await writer.KeepAliveAsync(callerGone);
                await FlushAsync();
            }
            finally
            {
                _gate.Release();
            }
        }
    }

    public void Dispose() => _gate.Dispose();

    private async ValueTask FinishAsync(OutputSource source)
    {
        var (repair, lines) = _sources[(int)source];
        await WriteLinesAsync(source, lines, repair.Finish());
        if (lines.TryFinish(out var last))
            await writer.OutputAsync(source, last, partial: true, callerGone);
    }

    private async ValueTask WriteLinesAsync(OutputSource source, LineSplitter lines, ReadOnlyMemory<byte> text)
    {
        while (lines.TryTake(ref text, out var line, out var partial))
            await writer.OutputAsync(source, line, partial, callerGone);
    }

    private async ValueTask FlushAsync()
    {
        if (!writer.HasCollected)
            return;
        await writer.FlushAsync(callerGone);
        Interlocked.Exchange(ref _lastWrite, timeProvider.GetTimestamp());
    }
}
