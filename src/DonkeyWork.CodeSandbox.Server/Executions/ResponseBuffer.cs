using System.IO.Pipelines;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>
/// Collects what is written to a response and hands it on in large pieces. It holds no more than one such piece, so that a
/// reader that stalls does not make the executor large, and little while little is written. One caller at a time.
/// </summary>
/// <param name="output">The response.</param>
internal class ResponseBuffer(PipeWriter output)
{
    /// <summary>The most that is collected, in bytes; then the next write waits for the reader.</summary>
    public const int MaxBytes = OutputBuffers.Bytes;

    private const int SmallBytes = 4 * 1024;

    private byte[]? _small;
    private byte[]? _large;
    private int _count;

    /// <summary>Whether anything was collected since the last flush.</summary>
    public bool HasCollected => _count > 0;

    /// <summary>Room for the next bytes; <see cref="Advance"/> says how many were used.</summary>
    public Span<byte> Free => Buffer.AsSpan(_count);

    private byte[] Buffer => _large ?? (_small ??= new byte[SmallBytes]);

    public void Advance(int count) => _count += count;

    /// <summary>Adds bytes for which there is room.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Free);
        _count += bytes.Length;
    }

    /// <summary>Makes room for so many bytes. Takes as long as the reader does when they do not fit.</summary>
    /// <exception cref="OperationCanceledException">The reader is gone.</exception>
    public ValueTask MakeRoomAsync(int bytes, CancellationToken cancellationToken)
    {
        if (Buffer.Length - _count >= bytes)
            return default;
        if (MaxBytes - _count < bytes)
            return FlushAsync(bytes, cancellationToken);
        Enlarge();
        return default;
    }

    /// <summary>Hands on what was collected. Takes as long as the reader does.</summary>
    /// <exception cref="OperationCanceledException">The reader is gone.</exception>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var flushing = output.WriteAsync(Buffer.AsMemory(0, _count), cancellationToken);
        // It was copied.
        Clear();
        await flushing;
        // A write says nothing of a connection whose end was seen before it, until the request is told some time later; a flush does.
        var result = await output.FlushAsync(cancellationToken);
        if (result.IsCompleted || result.IsCanceled)
            throw new OperationCanceledException("The reader is gone.");
    }

    /// <summary>Forgets what was collected.</summary>
    public void Clear()
    {
        _count = 0;
        if (_large is not null)
            OutputBuffers.Return(_large);
        _large = null;
    }

    private async ValueTask FlushAsync(int thenRoomFor, CancellationToken cancellationToken)
    {
        await FlushAsync(cancellationToken);
        await MakeRoomAsync(thenRoomFor, cancellationToken);
    }

    private void Enlarge()
    {
        var large = OutputBuffers.Rent();
        _small.AsSpan(0, _count).CopyTo(large);
        _large = large;
    }
}
