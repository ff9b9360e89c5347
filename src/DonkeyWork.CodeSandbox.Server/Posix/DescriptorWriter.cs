using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>Writes a pipe, or a terminal from its master's side. One write at a time.</summary>
/// <param name="handle">Owned, and non-blocking.</param>
internal sealed class DescriptorWriter(SafeFileHandle handle) : IDisposable
{
    private readonly Descriptor _descriptor = new(handle, Native.EPOLLOUT);

    /// <summary>Writes as much as there is room for, at least one byte unless there is none to write.</summary>
    /// <returns>How much went in.</returns>
    /// <exception cref="BrokenPipeException">Nobody has the other end open.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled before there was room; nothing went in.</exception>
    /// <exception cref="ObjectDisposedException">It is closed, or was meanwhile.</exception>
    public async ValueTask<int> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (bytes.IsEmpty)
            return 0;
        while (true)
        {
            var count = Native.Write(_descriptor.Handle, bytes.Span, bytes.Length);
            if (count > 0)
                return (int)count;
            switch (count == 0 ? Native.EAGAIN : Marshal.GetLastPInvokeError())
            {
                case Native.EINTR:
                    break;
                // A terminal that is full answers 0 on some kernels.
                case Native.EAGAIN:
                    await _descriptor.WaitAsync(cancellationToken);
                    break;
                case Native.EPIPE or Native.EIO or Native.ECONNRESET:
                    throw new BrokenPipeException();
                default:
                    throw new IOException($"Writing failed: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }
    }

    public void Dispose() => _descriptor.Dispose();
}
