using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>Reads a pipe, a socket, or a terminal from its master's side. One read at a time.</summary>
internal sealed class DescriptorReader : IDisposable
{
    /// <summary>One whose writer is always ahead gives others a turn on the thread after so many reads.</summary>
    private const int ReadsInARow = 16;

    /// <summary>What a terminal holds at most: Linux 12 KiB, gVisor 128 KiB.</summary>
    private const int TerminalCapacity = 128 * 1024;

    private readonly Descriptor _descriptor;
    private readonly bool _isTerminal;
    private int _readsInARow;

    /// <param name="handle">Owned, and non-blocking.</param>
    /// <param name="isTerminal">Whether it is a master.</param>
    public DescriptorReader(SafeFileHandle handle, bool isTerminal = false)
    {
        _descriptor = new Descriptor(handle, Native.EPOLLIN);
        _isTerminal = isTerminal;
    }

    /// <summary>
    /// How many bytes are in it now. A terminal cannot tell, and answers how many may be: read with a token that is cancelled
    /// until it throws.
    /// </summary>
    public int Available => _isTerminal
        ? TerminalCapacity
        : Native.IoControl(_descriptor.Handle, Native.FIONREAD, out var count) < 0 ? 0 : count;

    /// <summary>Reads what there is.</summary>
    /// <returns>How much; 0 at the end, which of a terminal is that nobody has it open any more.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled and there is nothing; nothing was read.</exception>
    /// <exception cref="ObjectDisposedException">It is closed, or was meanwhile.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (true)
        {
            var count = Native.Read(_descriptor.Handle, buffer.Span, buffer.Length);
            if (count >= 0)
            {
                if (++_readsInARow >= ReadsInARow)
                {
                    _readsInARow = 0;
                    await Task.Yield();
                }

                return (int)count;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Native.EINTR:
                    break;
                case Native.EAGAIN:
                    _readsInARow = 0;
                    await _descriptor.WaitAsync(cancellationToken);
                    break;
                // A terminal that nobody has open; a socket whose other side was killed before it had read everything.
                case Native.EIO or Native.ECONNRESET:
                    return 0;
                default:
                    throw new IOException($"Reading failed: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }
    }

    /// <summary>Reads what there is, if anything is: one that must wait need have no large buffer.</summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="count">How much; 0 at the end.</param>
    /// <returns><see langword="false"/> when <see cref="ReadAsync"/> must say.</returns>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public bool TryRead(Span<byte> buffer, out int count)
    {
        count = ++_readsInARow < ReadsInARow ? (int)Native.Read(_descriptor.Handle, buffer, buffer.Length) : -1;
        return count >= 0;
    }

    public void Dispose() => _descriptor.Dispose();
}
