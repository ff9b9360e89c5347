using System.Buffers;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>Valid UTF-8 as the inside of a JSON string (RFC 8259, section 7): only what must be escaped is.</summary>
internal static class JsonText
{
    /// <summary>The most bytes that one byte becomes: <c>\u001f</c>.</summary>
    public const int MaxExpansion = 6;

    private static readonly SearchValues<byte> Special = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20).Select(value => (byte)value), (byte)'"', (byte)'\\']);

    /// <summary>Escapes as much of <paramref name="text"/> as surely fits.</summary>
    /// <param name="text">Valid UTF-8.</param>
    /// <param name="destination">Where to; at least <see cref="MaxExpansion"/> bytes, or nothing is written.</param>
    /// <param name="consumed">Bytes of <paramref name="text"/> used.</param>
    /// <returns>Bytes written.</returns>
    public static int Escape(ReadOnlySpan<byte> text, Span<byte> destination, out int consumed)
    {
        var written = 0;
        consumed = 0;
        while (consumed < text.Length && destination.Length - written >= MaxExpansion)
        {
            var run = text[consumed..];
            run = run[..Math.Min(run.Length, destination.Length - written)];
            var clean = run.IndexOfAny(Special);
            if (clean != 0)
            {
                if (clean > 0)
                    run = run[..clean];
                run.CopyTo(destination[written..]);
                written += run.Length;
                consumed += run.Length;
            }
            else
            {
                written += EscapeOne(run[0], destination[written..]);
                consumed++;
            }
        }

        return written;
    }

    private static int EscapeOne(byte value, Span<byte> destination)
    {
        var letter = value switch
        {
            (byte)'"' or (byte)'\\' => value,
            (byte)'\b' => (byte)'b',
            (byte)'\f' => (byte)'f',
            (byte)'\n' => (byte)'n',
            (byte)'\r' => (byte)'r',
            (byte)'\t' => (byte)'t',
            _ => (byte)'u',
        };
        destination[0] = (byte)'\\';
        destination[1] = letter;
        if (letter != (byte)'u')
            return 2;
        destination[2] = destination[3] = (byte)'0';
        destination[4] = Hex(value >> 4);
        destination[5] = Hex(value & 15);
        return MaxExpansion;
    }

    private static byte Hex(int digit) => (byte)(digit < 10 ? '0' + digit : 'a' + digit - 10);
}
