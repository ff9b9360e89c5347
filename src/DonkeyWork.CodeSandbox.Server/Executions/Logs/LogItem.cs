using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Executions.Logs;

/// <summary>What a <see cref="LogItem"/> is.</summary>
internal enum LogItemKind
{
    /// <summary>Nothing new: somebody called <see cref="OutputLogReader.Wake"/>.</summary>
    None,

    /// <summary>Bytes that were printed.</summary>
    Output,

    /// <summary>Bytes that were printed, and that this reader cannot have any more.</summary>
    Truncated,

    /// <summary>Nothing follows.</summary>
    End,
}

/// <summary>The next of what a log has for a reader.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Channel">Where it was printed.</param>
/// <param name="Bytes">Of <see cref="LogItemKind.Output"/>: at most 64 KiB, valid until the reader is asked for the next.</param>
/// <param name="Count">How many bytes were printed, or are missing.</param>
/// <param name="Position">The position behind it.</param>
internal readonly record struct LogItem(LogItemKind Kind, OutputChannel Channel, ReadOnlyMemory<byte> Bytes, long Count, long Position);
