using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>
/// Makes valid UTF-8 of bytes that come in pieces: each maximal ill-formed sequence becomes one U+FFFD (Unicode 15, 3.9,
/// as .NET's own decoder does), and a character split over two pieces is held back until it is whole.
/// </summary>
internal sealed class Utf8Repair
{
    /// <summary>The most bytes that a character can lack one of.</summary>
    public const int LongestIncomplete = 3;

    private static ReadOnlySpan<byte> Replacement => [0xEF, 0xBF, 0xBD];

    private readonly byte[] _held = new byte[LongestIncomplete];
    private int _heldCount;
    private byte[] _scratch = [];

    /// <summary>The whole characters of what is held back and <paramref name="piece"/>. Valid until the next call.</summary>
    public ReadOnlyMemory<byte> Next(ReadOnlyMemory<byte> piece)
    {
        if (_heldCount == 0)
        {
            var whole = piece.Length - IncompleteTail(piece.Span);
            if (Utf8.IsValid(piece.Span[..whole]))
            {
                Hold(piece.Span[whole..]);
                return piece[..whole];
            }
        }

        return Repair(piece.Span);
    }

    /// <summary>What stands for the held-back bytes when nothing follows them.</summary>
    public ReadOnlyMemory<byte> Finish()
    {
        if (_heldCount == 0)
            return default;
        _heldCount = 0;
        return Replacement.ToArray();
    }

    private ReadOnlyMemory<byte> Repair(ReadOnlySpan<byte> piece)
    {
        // Every byte may turn into the three of U+FFFD.
        var needed = (_heldCount + piece.Length) * (1 + Replacement.Length);
        if (_scratch.Length < needed)
            _scratch = new byte[needed];
        var inputLength = _heldCount + piece.Length;
        var input = _scratch.AsSpan(_scratch.Length - inputLength);
        _held.AsSpan(0, _heldCount).CopyTo(input);
        piece.CopyTo(input[_heldCount..]);
        _heldCount = 0;

        // The output grows towards the input and never reaches what has not been read.
        var written = 0;
        while (!input.IsEmpty)
        {
            var status = Rune.DecodeFromUtf8(input, out _, out var consumed);
            if (status == OperationStatus.NeedMoreData)
            {
                Hold(input);
                break;
            }

            var source = status == OperationStatus.Done ? input[..consumed] : Replacement;
            source.CopyTo(_scratch.AsSpan(written));
            written += source.Length;
            input = input[consumed..];
        }

        return _scratch.AsMemory(0, written);
    }

    private void Hold(ReadOnlySpan<byte> tail)
    {
        tail.CopyTo(_held);
        _heldCount = tail.Length;
    }

    /// <summary>How many bytes at the end begin a character that is not complete.</summary>
    public static int IncompleteTail(ReadOnlySpan<byte> bytes)
    {
        for (var length = 1; length <= Math.Min(LongestIncomplete, bytes.Length); length++)
        {
            var first = bytes[^length];
            if (first < 0x80)
                return 0;
            if (first >= 0xC0)
                return Rune.DecodeFromUtf8(bytes[^length..], out _, out _) == OperationStatus.NeedMoreData ? length : 0;
        }

        return 0;
    }
}
