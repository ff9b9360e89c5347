using System.Buffers;
using System.IO.Pipelines;

namespace DonkeyWork.CodeSandbox.Manager.Relaying;

/// <summary>
/// A response's body whose writes fail once the caller's connection is gone. Those of <see cref="HttpResponse.Body"/> succeed, into
/// nothing, until <see cref="HttpContext.RequestAborted"/> is told some time later; what is taken from an executor meanwhile would
/// count there as sent.
/// </summary>
internal sealed class CallerStream(PipeWriter caller) : Stream
{
    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="OperationCanceledException">The caller is gone.</exception>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        caller.Write(buffer.Span);
        var result = await caller.FlushAsync(cancellationToken);
        if (result.IsCompleted) throw new OperationCanceledException("The caller is gone.");
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
