using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions;

namespace DonkeyWork.CodeSandbox.Server.Tests;

public sealed class JsonTextTests
{
    [Fact]
    public void Every_character_up_to_FFFF_survives_a_json_parser()
    {
        var text = string.Concat(Enumerable.Range(0, 0x10000).Where(value => value is < 0xD800 or > 0xDFFF).Select(value => (char)value)) + "😀";
        Parse(Escape(Encoding.UTF8.GetBytes(text), 6 * 4 * text.Length)).ShouldBe(text);
    }

    [Fact]
    public void What_does_not_fit_is_left_and_nothing_is_lost()
    {
        var text = Encoding.UTF8.GetBytes("a\"b\\c\n\u0001é€😀\u007f end");
        for (var space = JsonText.MaxExpansion; space < 60; space++)
        {
            var escaped = new List<byte>();
            var rest = text.AsSpan();
            var buffer = new byte[space];
            while (!rest.IsEmpty)
            {
                var written = JsonText.Escape(rest, buffer, out var consumed);
                consumed.ShouldBeGreaterThan(0);
                escaped.AddRange(buffer[..written]);
                rest = rest[consumed..];
            }

            Parse([.. escaped]).ShouldBe(Encoding.UTF8.GetString(text));
        }
    }

    [Fact]
    public void No_line_break_reaches_the_stream_raw()
    {
        Escape("\r\n\t\b\f\0"u8, 100).ShouldAllBe(value => value >= 0x20);
    }

    [Fact]
    public async Task Events_have_the_shape_that_existing_clients_read()
    {
        var pipe = new Pipe();
        var writer = new SseWriter(pipe.Writer, 12);
        await writer.OutputAsync(OutputSource.Stdout, "hello"u8.ToArray(), partial: false, CancellationToken.None);
        await writer.OutputAsync(OutputSource.Stderr, "a\"b"u8.ToArray(), partial: true, CancellationToken.None);
        await writer.KeepAliveAsync(CancellationToken.None);
        await writer.CompletedAsync(137, timedOut: true, CompletionReason.TimedOut, CancellationToken.None);
        var flushed = writer.FlushAsync(CancellationToken.None);
        var read = await pipe.Reader.ReadAsync();
        await flushed;

        Encoding.UTF8.GetString(read.Buffer).ShouldBe(
            """
            event: OutputEvent
            data: {"$type":"OutputEvent","pid":12,"stream":"Stdout","data":"hello"}
            id: 1

            event: OutputEvent
            data: {"$type":"OutputEvent","pid":12,"stream":"Stderr","data":"a\"b","partial":true}
            id: 2

            : keepalive

            event: CompletedEvent
            data: {"$type":"CompletedEvent","pid":12,"exitCode":137,"timedOut":true,"reason":"timed_out"}
            id: 3


            """);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(CompletionReason.TimedOut)]
    [InlineData(CompletionReason.Killed)]
    [InlineData(CompletionReason.OomKilled)]
    public async Task The_last_event_is_what_the_contract_reads(CompletionReason? reason)
    {
        var pipe = new Pipe();
        var writer = new SseWriter(pipe.Writer, 7);
        await writer.CompletedAsync(3, timedOut: false, reason, CancellationToken.None);
        var flushed = writer.FlushAsync(CancellationToken.None);
        var read = await pipe.Reader.ReadAsync();
        await flushed;

        var data = Encoding.UTF8.GetString(read.Buffer).Split('\n').Single(line => line.StartsWith("data: ", StringComparison.Ordinal))[6..];
        JsonSerializer.Deserialize(data, ContractsJsonContext.Default.ExecutionEvent)
            .ShouldBe(new CompletedEvent { Pid = 7, ExitCode = 3, TimedOut = false, Reason = reason });
    }

    private static byte[] Escape(ReadOnlySpan<byte> text, int space)
    {
        var buffer = new byte[space];
        var written = JsonText.Escape(text, buffer, out var consumed);
        consumed.ShouldBe(text.Length);
        return buffer[..written];
    }

    private static string? Parse(byte[] escaped) => JsonSerializer.Deserialize<string>([(byte)'"', .. escaped, (byte)'"']);
}
