using System.IO.Pipes;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>A pipe that a process writes and the executor reads, without a thread waiting for it (epoll).</summary>
internal sealed unsafe class OutputPipe : IAsyncDisposable
{
    private readonly AnonymousPipeClientStream _reader;
    private SafePipeHandle? _writer;

    /// <summary>Opens a pipe; no other process inherits either end.</summary>
    /// <exception cref="StartFailedException">No descriptor is left.</exception>
    public OutputPipe()
    {
        var ends = stackalloc int[2];
        if (Native.Pipe(ends, Native.O_CLOEXEC) < 0)
            throw new StartFailedException(SpawnStep.Setup, Marshal.GetLastPInvokeError());
        _writer = new SafePipeHandle(ends[1], ownsHandle: true);
        _reader = new AnonymousPipeClientStream(PipeDirection.In, new SafePipeHandle(ends[0], ownsHandle: true));
    }

    /// <summary>The descriptor to give to the process.</summary>
    public int WriteDescriptor => (int)_writer!.DangerousGetHandle();

    /// <summary>Bytes in the pipe now.</summary>
    public int Available =>
        Native.IoControl((int)_reader.SafePipeHandle.DangerousGetHandle(), Native.FIONREAD, out var count) < 0 ? 0 : count;

    /// <summary>Closes the writing end here, once the process has its own: the pipe then ends with its last holder.</summary>
    public void CloseWriter()
    {
        _writer?.Dispose();
        _writer = null;
    }

    /// <summary>Reads what there is; 0 at the end.</summary>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken) =>
        _reader.ReadAsync(buffer, cancellationToken);

    public ValueTask DisposeAsync()
    {
        CloseWriter();
        return _reader.DisposeAsync();
    }
}
