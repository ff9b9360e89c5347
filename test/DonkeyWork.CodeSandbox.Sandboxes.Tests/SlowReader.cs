using System.IO.Pipelines;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>A caller's end of a response: takes what is written to it when a test wants it taken.</summary>
internal sealed class SlowReader : WriteOnlyStream
{
    private readonly Pipe _pipe = new();
    private readonly TaskCompletionSource _blocked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _block;

    /// <summary>Completes when a write is being held.</summary>
    public Task Blocked => _blocked.Task;

    public void Block() => _block = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Unblock() => _block!.SetResult();

    public async Task ReadAsync(int bytes)
    {
        var read = await _pipe.Reader.ReadAtLeastAsync(bytes).AsTask().WaitAsync(Testing.Patience.Limit);
        read.Buffer.Length.ShouldBe(bytes);
        _pipe.Reader.AdvanceTo(read.Buffer.End);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_block is { Task.IsCompleted: false } block)
        {
            _blocked.TrySetResult();
            await block.Task.WaitAsync(cancellationToken);
        }

        await _pipe.Writer.WriteAsync(buffer, cancellationToken);
    }
}

/// <summary>A caller's body that breaks while it is read.</summary>
internal sealed class BrokenStream : MemoryStream
{
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw new BrokenException();

    public sealed class BrokenException : IOException;
}

/// <summary>The part of a stream that nobody uses here.</summary>
internal abstract class WriteOnlyStream : Stream
{
    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
