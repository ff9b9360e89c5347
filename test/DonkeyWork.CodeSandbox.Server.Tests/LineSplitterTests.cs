using System.Text;
using DonkeyWork.CodeSandbox.Server.Executions;

namespace DonkeyWork.CodeSandbox.Server.Tests;

public sealed class LineSplitterTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("one\n", "one|")]
    [InlineData("one\n\ntwo", "one||two…")]
    [InlineData("cr\r\nlf\n\r", "cr\r|lf|\r…")]
    [InlineData("\u2028\u0085\v\f\n", "\u2028\u0085\v\f|")]
    public void Lines_end_at_newlines_alone(string text, string expected)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            if (cut < bytes.Length && (bytes[cut] & 0xC0) == 0x80)
                continue;
            string.Concat(Split(new LineSplitter(), bytes[..cut], bytes[cut..])).ShouldBe(expected, $"cut at {cut}");
        }
    }

    [Theory]
    [InlineData(7, 8)]
    [InlineData(8, 8)]
    [InlineData(9, 8)]
    [InlineData(16, 8)]
    [InlineData(17, 8)]
    public void A_line_longer_than_the_maximum_comes_in_parts(int length, int maximum)
    {
        var line = string.Concat(Enumerable.Range(0, length).Select(index => (char)('a' + index)));
        var bytes = Encoding.UTF8.GetBytes(line + "\n");
        for (var cut = 0; cut <= bytes.Length; cut++)
        {
            var parts = Split(new LineSplitter(maximum), bytes[..cut], bytes[cut..]).ToList();
            string.Concat(parts).Replace("…", "", StringComparison.Ordinal).ShouldBe(line + "|");
            parts.ShouldAllBe(part => part.TrimEnd('|', '…').Length <= maximum);
            parts.Count.ShouldBe(Math.Max(1, (length + maximum - 1) / maximum));
            parts[^1].ShouldEndWith("|");
        }
    }

    [Fact]
    public void Parts_are_cut_between_characters()
    {
        var text = string.Concat(Enumerable.Repeat("a€😀é", 50));
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var maximum = 4; maximum < 12; maximum++)
        {
            var parts = Split(new LineSplitter(maximum), bytes);
            string.Concat(parts.Select(part => part.TrimEnd('…'))).ShouldBe(text);
            parts.ShouldAllBe(part => Encoding.UTF8.GetByteCount(part.TrimEnd('…')) <= maximum);
        }
    }

    [Fact]
    public void Sixteen_mebibytes_without_a_newline_are_sixteen_parts_and_one_mebibyte_is_held()
    {
        const int mebibyte = 1024 * 1024;
        var piece = new byte[64 * 1024];
        Array.Fill(piece, (byte)'x');
        var splitter = new LineSplitter();
        var lengths = new List<int>();
        for (var written = 0; written < 16 * mebibyte; written += piece.Length)
        {
            ReadOnlyMemory<byte> text = piece;
            while (splitter.TryTake(ref text, out var line, out var partial))
            {
                partial.ShouldBeTrue();
                lengths.Add(line.Length);
            }
        }

        splitter.TryFinish(out var last).ShouldBeTrue();
        lengths.Add(last.Length);
        lengths.ShouldBe(Enumerable.Repeat(mebibyte, 16));
    }

    /// <summary>Whole lines end with <c>|</c>, parts with <c>…</c>.</summary>
    private static List<string> Split(LineSplitter splitter, params byte[][] pieces)
    {
        var result = new List<string>();
        var strict = new UTF8Encoding(false, throwOnInvalidBytes: true);
        foreach (var piece in pieces)
        {
            ReadOnlyMemory<byte> text = piece;
            while (splitter.TryTake(ref text, out var line, out var partial))
                result.Add(strict.GetString(line.Span) + (partial ? "…" : "|"));
        }

        if (splitter.TryFinish(out var last))
            result.Add(strict.GetString(last.Span) + "…");
        return result;
    }
}
