using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>A terminal without a screen, pty(7): the master is ours, the other end the child's.</summary>
internal static class PseudoTerminal
{
    /// <summary><c>struct winsize</c>: rows and columns, then pixels, which nobody knows.</summary>
    private const int WindowSizeBytes = 8;

    /// <summary>More than <c>struct termios</c> of any kernel; the input flags come first.</summary>
    private const int TermiosBytes = 128;

    /// <summary>Erasing takes a whole character in UTF-8, termios(3).</summary>
    private const uint InputIsUtf8 = 0x4000;

    /// <summary>Opens one of this size.</summary>
    /// <exception cref="StartFailedException">There are no more.</exception>
    public static (SafeFileHandle Master, SafeFileHandle Childs) Open(int columns, int rows)
    {
        var master = Open("/dev/ptmx", O_NONBLOCK);
        try
        {
            ReadOnlySpan<byte> unlocked = [0, 0, 0, 0];
            if (Native.IoControl(master, Native.TIOCSPTLCK, unlocked) < 0
                || Native.IoControl(master, Native.TIOCGPTN, out var number) < 0)
                throw DescriptorPair.Failed();
            Resize(master, columns, rows);
            var childs = Open($"/dev/pts/{number}", 0);
            ReadUtf8(childs);
            return (master, childs);
        }
        catch
        {
            master.Dispose();
            throw;
        }
    }

    /// <summary>Sets the size, and tells the foreground group of a change (SIGWINCH).</summary>
    public static void Resize(SafeFileHandle master, int columns, int rows)
    {
        Span<ushort> size = stackalloc ushort[WindowSizeBytes / sizeof(ushort)];
        size.Clear();
        size[0] = (ushort)rows;
        size[1] = (ushort)columns;
        if (Native.IoControl(master, Native.TIOCSWINSZ, MemoryMarshal.AsBytes(size)) < 0)
            throw new IOException($"The terminal cannot be resized: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    private static void ReadUtf8(SafeFileHandle terminal)
    {
        Span<byte> termios = stackalloc byte[TermiosBytes];
        if (Native.IoControl(terminal, Native.TCGETS, termios) < 0)
            return;
        MemoryMarshal.Cast<byte, uint>(termios)[0] |= InputIsUtf8;
        _ = Native.IoControl(terminal, Native.TCSETS, termios);
    }

    private static SafeFileHandle Open(string path, int flags)
    {
        var descriptor = Native.Open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | flags, 0);
        return descriptor < 0 ? throw DescriptorPair.Failed() : DescriptorPair.Owned(descriptor);
    }
}
