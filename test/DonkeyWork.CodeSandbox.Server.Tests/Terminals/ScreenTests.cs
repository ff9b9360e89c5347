using System.Text;

namespace DonkeyWork.CodeSandbox.Server.Tests.Terminals;

/// <summary>The screen that other tests look at, against what xterm does.</summary>
public sealed class ScreenTests
{
    [Theory]
    [InlineData("ab\r\ncd", "ab\ncd")]
    [InlineData("abc\bX", "abX")]
    [InlineData("a\tb", "a       b")]
    [InlineData("0123456789x", "0123456789\nx")]
    [InlineData("0123456789\rx", "x123456789")]
    [InlineData("a\r\nb\r\nc\r\nd\r\ne", "b\nc\nd\ne")]
    [InlineData("abc\u001b[2;3Hx\u001b[H\u001b[K", "\n  x")]
    [InlineData("abcdef\u001b[3G\u001b[2P", "abef")]
    [InlineData("abcdef\u001b[3G\u001b[2@", "ab  cdef")]
    [InlineData("a\r\nb\r\nc\u001b[2;1H\u001b[L", "a\n\nb\nc")]
    [InlineData("a\r\nb\r\nc\u001b[1;1H\u001b[M", "b\nc")]
    [InlineData("a\r\nb\r\nc\r\nd\u001b[2;3r\u001b[3;1H\nx", "a\nc\nx\nd")]
    [InlineData("a\u001b[?1049hfull\u001b[?1049lb", "ab")]
    [InlineData("\u001b]0;title\a\u001b]0;t\u001b\\\u001b[1;31mred\u001b[0m\u001b(B", "red")]
    [InlineData("\u001bMa\u001b[2J", "")]
    [InlineData("é\u001b[>4;2mß€", "éß€")]
    public void It_shows_what_a_terminal_shows(string output, string shown)
    {
        var screen = new Screen(10, 4);
        foreach (var single in Encoding.UTF8.GetBytes(output))
            screen.Write([single]);
        screen.Text.ShouldBe(shown);
    }
}
