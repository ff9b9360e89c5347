using System.Buffers;
using System.IO.Pipelines;

namespace DonkeyWork.CodeSandbox.Client.Terminals;

/// <summary>What a terminal shows.</summary>
internal sealed class TerminalOutput(PipeReader output) : AsyncStream
{
    private int _claimed;
    private volatile bool _closed;

    public override bool CanRead => true;

    /// <summary>Whether nobody has begun to read; from here on somebody has.</summary>
    public bool TryClaim() => Interlocked.Exchange(ref _claimed, 1) == 0;

    /// <summary>Whoever has claimed it reads no more.</summary>
    public void Release() => Volatile.Write(ref _claimed, 0);

    /// <summary>There is nothing to read any more.</summary>
    public ValueTask CloseAsync()
    {
        _closed = true;
        return output.CompleteAsync();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Volatile.Write(ref _claimed, 1);
        if (buffer.IsEmpty)
            return 0;
        try
        {
            var result = await output.ReadAsync(cancellationToken).ConfigureAwait(false);
            var count = (int)Math.Min(result.Buffer.Length, buffer.Length);
            var part = result.Buffer.Slice(0, count);
            part.CopyTo(buffer.Span);
            // From here on the memory is somebody else's.
            output.AdvanceTo(part.End);
            return count;
        }
        catch (InvalidOperationException e) when (_closed)
        {
            throw new ObjectDisposedException(nameof(Terminal), e);
        }
    }
}
