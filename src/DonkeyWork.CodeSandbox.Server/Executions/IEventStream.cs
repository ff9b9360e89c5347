using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>
/// A way to write down what a log has: lines, text events, binary frames. Each write may take as long as the reader does, and
/// throws <see cref="OperationCanceledException"/> when there is no reader any more.
/// </summary>
internal interface IEventStream
{
    /// <summary>Whether anything was written since the last flush.</summary>
    bool HasCollected { get; }

    /// <summary>Whether bytes are held back that may be the beginning of a character.</summary>
    bool HoldsBack { get; }

    /// <summary>The position behind what was written.</summary>
    long Position { get; }

    /// <summary>That it runs; first.</summary>
    ValueTask StartedAsync(ExecutionStarted started, CancellationToken cancellationToken);

    /// <summary>Bytes that were printed.</summary>
    ValueTask OutputAsync(LogItem item, CancellationToken cancellationToken);

    /// <summary>Bytes that are missing.</summary>
    ValueTask TruncatedAsync(LogItem item, CancellationToken cancellationToken);

    /// <summary>Writes what is held back.</summary>
    ValueTask ReleaseAsync(CancellationToken cancellationToken);

    /// <summary>How it ended; last.</summary>
    ValueTask ExitedAsync(ExecutionState state, long position, CancellationToken cancellationToken);

    /// <summary>A sign of life.</summary>
    ValueTask KeepAliveAsync(CancellationToken cancellationToken);

    /// <summary>Hands on what was written.</summary>
    ValueTask FlushAsync(CancellationToken cancellationToken);
}
