using System.Text;

namespace DonkeyWork.CodeSandbox.Client.Executions;

/// <summary>The text of one channel's chunks: a character cut by the end of a chunk waits for the next.</summary>
internal sealed class OutputText
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    public string Next(ReadOnlySpan<byte> chunk)
    {
        var characters = new char[_decoder.GetCharCount(chunk, flush: false)];
        return new string(characters, 0, _decoder.GetChars(chunk, characters, flush: false));
    }
}
