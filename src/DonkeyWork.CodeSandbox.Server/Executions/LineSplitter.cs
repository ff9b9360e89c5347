namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>
/// Cuts valid UTF-8 into lines at <c>\n</c> alone. A line longer than the maximum comes in parts, cut between characters.
/// </summary>
/// <param name="maxLineBytes">The longest line or part, in bytes; at least 4, a character's most.</param>
internal sealed class LineSplitter(int maxLineBytes = LineSplitter.DefaultMaxLineBytes)
{
    /// <summary>1 MiB.</summary>
    public const int DefaultMaxLineBytes = 1024 * 1024;

    private byte[] _begun = [];
    private int _begunCount;
    private bool _begunWasTaken;

    /// <summary>
    /// Takes the next line or part off the front of <paramref name="text"/>; keeps an unfinished one for the next text. The
    /// line is valid until the next call.
    /// </summary>
    /// <returns><see langword="false"/> when <paramref name="text"/> is used up.</returns>
    public bool TryTake(ref ReadOnlyMemory<byte> text, out ReadOnlyMemory<byte> line, out bool partial)
    {
        if (_begunWasTaken)
        {
            _begunCount = 0;
            _begunWasTaken = false;
        }

        var end = text.Span.IndexOf((byte)'\n');
        var length = end < 0 ? text.Length : end;
        partial = _begunCount + length > maxLineBytes;
        if (partial)
        {
            length = maxLineBytes - _begunCount;
            while (length > 0 && IsContinuation(text.Span[length]))
                length--;
        }
        else if (end < 0)
        {
            Keep(text);
            text = default;
            line = default;
            return false;
        }

        line = text[..length];
        if (_begunCount > 0)
        {
            Keep(line);
            line = _begun.AsMemory(0, _begunCount);
            _begunWasTaken = true;
        }

        text = text[(partial ? length : length + 1)..];
        return true;
    }

    /// <summary>The last line where no <c>\n</c> ended it.</summary>
    public bool TryFinish(out ReadOnlyMemory<byte> line)
    {
        line = _begunWasTaken ? default : _begun.AsMemory(0, _begunCount);
        _begunCount = 0;
        return line.Length > 0;
    }

    private void Keep(ReadOnlyMemory<byte> part)
    {
        var needed = _begunCount + part.Length;
        if (needed > _begun.Length)
            Array.Resize(ref _begun, Math.Max(needed, Math.Min(2 * _begun.Length, maxLineBytes)));
        part.CopyTo(_begun.AsMemory(_begunCount));
        _begunCount = needed;
    }

    private static bool IsContinuation(byte value) => (value & 0xC0) == 0x80;
}
