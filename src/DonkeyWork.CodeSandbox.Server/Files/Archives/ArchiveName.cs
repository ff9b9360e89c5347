using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace DonkeyWork.CodeSandbox.Server.Files.Archives;

/// <summary>
/// Names in an archive that is sent. They are UTF-8 there; a byte that is none becomes <c>\xHH</c>, in capitals. So that no
/// other name looks the same, one that has <c>\xHH</c> with HH from 80 on in it already gets <c>\x5C</c> for its backslash.
/// </summary>
internal static class ArchiveName
{
    /// <summary>Appends a name as it is in the archive.</summary>
    public static void Escape(ReadOnlySpan<byte> name, ArrayBufferWriter<byte> escaped)
    {
        if (Utf8.IsValid(name) && name.IndexOf("\\x"u8) < 0)
        {
            escaped.Write(name);
            return;
        }

        while (!name.IsEmpty)
        {
            var isText = Rune.DecodeFromUtf8(name, out _, out var length) == OperationStatus.Done;
            if (isText && !LooksEscaped(name))
            {
                escaped.Write(name[..length]);
            }
            else
            {
                escaped.Write("\\x"u8);
                name[0].TryFormat(escaped.GetSpan(2), out length, "X2");
                escaped.Advance(length);
                length = 1;
            }

            name = name[length..];
        }
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
