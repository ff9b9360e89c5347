using System.Buffers.Text;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>The kernel's files of lines <c>NAME NUMBER</c>, such as a cgroup's.</summary>
internal static class CounterFile
{
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
