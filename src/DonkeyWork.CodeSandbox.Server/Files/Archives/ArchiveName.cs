using System.Text;
using System.Text.Unicode;

namespace DonkeyWork.CodeSandbox.Server.Files.Archives;

/// <summary>
/// Names in an archive that is sent. They are UTF-8 there; a byte that is none becomes <c>\xHH</c>, in capitals. So that no
/// other name looks the same, one that has <c>\xHH</c> with HH from 80 on in it already gets <c>\x5C</c> for its backslash.
/// </summary>
internal static class ArchiveName
{
    public static byte[] Escape(byte[] name)
    {
        if (Utf8.IsValid(name) && name.AsSpan().IndexOf("\\x"u8) < 0)
            return name;
        var escaped = new List<byte>();
        for (ReadOnlySpan<byte> rest = name; !rest.IsEmpty;)
        {
            var isText = Rune.DecodeFromUtf8(rest, out _, out var length) == System.Buffers.OperationStatus.Done;
            if (!isText || LooksEscaped(rest))
            {
                escaped.AddRange(Encoding.ASCII.GetBytes($"\\x{rest[0]:X2}"));
                length = 1;
            }
            else
            {
                escaped.AddRange(rest[..length]);
            }

            rest = rest[length..];
        }

        return [.. escaped];
    }

    /// <summary>Whether it starts with what stands for a byte: <c>\xHH</c>, or <c>\x5CxHH</c> with any number of <c>5Cx</c>.</summary>
    private static bool LooksEscaped(ReadOnlySpan<byte> rest)
    {
        if (!rest.StartsWith("\\x"u8))
            return false;
        rest = rest[2..];
        while (rest.StartsWith("5Cx"u8))
            rest = rest[3..];
        return rest.Length >= 2 && (rest[0] is (byte)'8' or (byte)'9' or (>= (byte)'A' and <= (byte)'F')) && char.IsAsciiHexDigitUpper((char)rest[1]);
    }
}
