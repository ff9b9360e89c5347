using System.Buffers.Text;
using DonkeyWork.CodeSandbox.Server.Files;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>The kernel's files of lines <c>NAME NUMBER</c>, such as a cgroup's.</summary>
internal static class CounterFile
{
    private const int MaxBytes = 4096;

    /// <summary>The number in an open file as it is now, or <see langword="null"/> where it cannot be read or has none.</summary>
    public static long? Read(SafeFileHandle file, ReadOnlySpan<byte> name)
    {
        Span<byte> text = stackalloc byte[MaxBytes];
        return FileSystemCalls.ReadAt(file, text, text.Length, 0) is > 0 and var length ? Find(text[..(int)length], name) : null;
    }

    /// <summary>The number of the first line of this name, or <see langword="null"/> where there is none.</summary>
    public static long? Find(ReadOnlySpan<byte> text, ReadOnlySpan<byte> name)
    {
        foreach (var range in text.Split((byte)'\n'))
        {
            var line = text[range];
            if (line.StartsWith(name) && line.Length > name.Length && line[name.Length] == ' '
                && line[(name.Length + 1)..] is var digits && Utf8Parser.TryParse(digits, out long count, out var used) && used == digits.Length)
                return count;
        }

        return null;
    }
}
