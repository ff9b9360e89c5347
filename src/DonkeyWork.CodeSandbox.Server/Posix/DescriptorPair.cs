using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>Makes pipes, sockets and terminals: one end of ours, non-blocking, and one for a child. No other process inherits either.</summary>
internal static unsafe class DescriptorPair
{
    private const int UnixSockets = 1;
    private const int StreamSocket = 1;

    /// <summary>A pipe that the child writes.</summary>
    /// <exception cref="StartFailedException">No descriptor is left.</exception>
    public static (SafeFileHandle Ours, SafeFileHandle Childs) ReadPipe()
    {
        var (read, write) = Pipe();
        return (read.NonBlocking(), write);
    }

    /// <summary>A pipe that the child reads.</summary>
    /// <exception cref="StartFailedException">No descriptor is left.</exception>
    public static (SafeFileHandle Ours, SafeFileHandle Childs) WritePipe()
    {
        var (read, write) = Pipe();
        return (write.NonBlocking(), read);
    }

    /// <summary>Two connected sockets.</summary>
    /// <exception cref="StartFailedException">No descriptor is left.</exception>
    public static (SafeFileHandle Ours, SafeFileHandle Childs) Sockets()
    {
        var ends = stackalloc int[2];
        if (Native.SocketPair(UnixSockets, StreamSocket | O_CLOEXEC, 0, ends) < 0)
            throw Failed();
        return (Owned(ends[0]).NonBlocking(), Owned(ends[1]));
    }

    /// <summary>Another descriptor for the same.</summary>
    /// <exception cref="StartFailedException">No descriptor is left.</exception>
    public static SafeFileHandle Duplicate(this SafeFileHandle handle)
    {
        var copy = Native.FileControl(handle, Native.F_DUPFD_CLOEXEC, 0);
        return copy < 0 ? throw Failed() : Owned(copy);
    }

    /// <summary>A descriptor that nobody owned yet.</summary>
    public static SafeFileHandle Owned(int descriptor) => new(descriptor, ownsHandle: true);

    /// <summary>What the last call failed with.</summary>
    public static StartFailedException Failed() => new(SpawnStep.Setup, Marshal.GetLastPInvokeError());

    private static (SafeFileHandle Read, SafeFileHandle Write) Pipe()
    {
        var ends = stackalloc int[2];
        if (Native.Pipe(ends, O_CLOEXEC) < 0)
            throw Failed();
        return (Owned(ends[0]), Owned(ends[1]));
    }

    private static SafeFileHandle NonBlocking(this SafeFileHandle handle)
    {
        _ = Native.FileControl(handle, Native.F_SETFL, O_NONBLOCK);
        return handle;
    }
}
