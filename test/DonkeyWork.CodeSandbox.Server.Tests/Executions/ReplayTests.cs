using System.Net;
using System.Security.Cryptography;
using System.Text;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;
using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Server.Tests.Executions;

public sealed class ReplayTests(BothKinds containers, ITestOutputHelper output) : IClassFixture<BothKinds>
{
    private ExecutorApi Api => containers[KillMode.Cgroup].Api;

    [Theory]
    [InlineData(Framing.Text, OverflowPolicy.Wait)]
    [InlineData(Framing.Frames, OverflowPolicy.Wait)]
    [InlineData(Framing.Text, OverflowPolicy.Drop)]
    public async Task A_reader_that_is_cut_at_random_gets_every_byte_once(Framing framing, OverflowPolicy overflow)
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var id = $"cut-{framing}-{overflow}";
        await Api.StartAsync(new StartExecutionRequest
        {
            Id = id, Overflow = overflow, Command = "head -c 6000000 /dev/urandom | tee >(sha256sum >&2) | cat; seq 50000 | while read n; do echo $n; done",
        });
        using var received = new MemoryStream();
        var stderr = new StringBuilder();
        ExecutionState? exited = null;
        long after = 0;
        for (var connection = 0; exited is null; connection++)
        {
            var most = random.Next(1, 60);
            await foreach (var item in Api.EventsAsync(id, framing, after))
            {
                item.Truncated.ShouldBe(0);
                if (item.Name == ExecutionItem.KeepAlive)
                    continue;
                after = item.Position;
                if (item.Channel == OutputChannel.Stderr)
                    stderr.Append(Encoding.UTF8.GetString(item.Bytes));
                else
                    received.Write(item.Bytes);
                exited = item.Exited;
                if (connection < 200 && --most == 0)
                    break;
            }
        }

        var all = received.ToArray();
        exited.StdoutBytes.ShouldBe(all.Length);
        Convert.ToHexStringLower(SHA256.HashData(all.AsSpan(0, 6_000_000))).ShouldBe(stderr.ToString().Split(' ')[0]);
        Encoding.ASCII.GetString(all.AsSpan(6_000_000)).ShouldBe(string.Concat(Enumerable.Range(1, 50_000).Select(number => $"{number}\n")));
        var again = await Api.EventsAsync(id, framing, after).ToListAsync();
        again.ShouldHaveSingleItem().Exited.ShouldNotBeNull().ShouldBe(exited);
    }

    [Fact]
    public async Task Every_byte_value_and_every_split_of_a_character_is_kept_in_both_framings()
    {
        // Every value; then each character cut at every offset, the other channel's output or a pause between the pieces.
        const string script = """
            import os, time
            os.write(1, bytes(range(256)))
            for text in ('\u00e9', '\u20ac', '\U0001f600', 'a\u0301\u20ac\U0001f600\u00e9'):
                raw = text.encode()
                for cut in range(len(raw) + 1):
                    for between in ('none', 'other', 'pause'):
                        os.write(1, raw[:cut])
                        if between == 'other': os.write(2, b'|')
                        time.sleep(0.15 if between == 'pause' else 0.005)
                        os.write(1, raw[cut:])
                        time.sleep(0.005)
            os.write(1, b'\r\x00\n' + b'\xf0\x9f\x98')
            """;
        using var expected = new MemoryStream();
        expected.Write([.. Enumerable.Range(0, 256).Select(value => (byte)value)]);
        foreach (var text in (string[])["é", "€", "😀", "a\u0301€😀é"])
        {
            var raw = Encoding.UTF8.GetBytes(text);
            for (var i = 0; i < (raw.Length + 1) * 3; i++)
                expected.Write(raw);
        }

        expected.Write([(byte)'\r', 0, (byte)'\n', 0xf0, 0x9f, 0x98]);
        await Api.StartAsync(new StartExecutionRequest { Id = "bytes", Argv = ["python3", "-c", script] });

        var live = await Task.WhenAll(Api.EventsAsync("bytes", Framing.Text).ToListAsync(), Api.EventsAsync("bytes", Framing.Frames).ToListAsync());
        var replayed = await Api.EventsAsync("bytes", Framing.Text).ToListAsync();

        foreach (var items in (List<ExecutionItem>[])[.. live, replayed])
        {
            items.Where(item => item.Channel == OutputChannel.Stdout).SelectMany(item => item.Bytes).ShouldBe(expected.ToArray());
            items.ShouldAllBe(item => item.Text == null || !item.Text.Contains('\uFFFD', StringComparison.Ordinal));
        }

        // What was not interrupted came as text.
        replayed.ShouldContain(item => item.Text != null && item.Text.Contains("😀", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Framing.Text)]
    [InlineData(Framing.Frames)]
    public async Task Sixteen_mebibytes_without_a_newline_come_whole(Framing framing)
    {
        var id = $"long-{framing}";
        using var response = await Api.PostStartAsync(
            new StartExecutionRequest { Id = id, Command = "head -c 16777216 /dev/zero | tr '\\0' '\\001'" }, ExecutionsApi.MediaType(framing));
        response.StatusCode.ShouldBe(HttpStatusCode.Created);

        var read = await ExecutionsApi.ReadAsync(response, framing, 0).OutputAsync();

        read.Stdout.Length.ShouldBe(16_777_216);
        read.Stdout.ShouldAllBe(value => value == 1);
        read.Truncated.ShouldBe(0);
    }

    [Fact]
    public async Task What_is_dropped_is_the_middle_and_it_is_counted()
    {
        const int lines = 600_000;
        var expected = string.Concat(Enumerable.Range(1, lines).Select(number => $"{number}\n"));
        var ended = await Api.EndAsync(new StartExecutionRequest
        {
            Id = "drop", Command = $"seq {lines}", KeepOutputBytes = 1 << 20, Overflow = OverflowPolicy.Drop,
        });
        var kept = await Api.EventsAsync("drop", Framing.Frames).ToListAsync();

        var gap = kept.Where(item => item.Truncated > 0).ShouldHaveSingleItem();
        var head = Encoding.ASCII.GetString([.. kept.TakeWhile(item => item != gap).SelectMany(item => item.Bytes)]);
        var tail = Encoding.ASCII.GetString([.. kept.SkipWhile(item => item != gap).SelectMany(item => item.Bytes)]);
        expected.ShouldStartWith(head);
        expected.ShouldEndWith(tail);
        (head.Length + gap.Truncated + tail.Length).ShouldBe(expected.Length);
        (head.Length + tail.Length).ShouldBeGreaterThanOrEqualTo(1 << 20);
        head.Length.ShouldBeGreaterThan((1 << 20) / 8);
        ended.TruncatedBytes.ShouldBe(gap.Truncated);
        gap.Channel.ShouldBe(OutputChannel.Stdout);
    }

    [Fact]
    public async Task A_process_waits_for_its_reader_and_one_that_drops_never_does()
    {
        const string command = "head -c 3000000 /dev/zero; touch /tmp/";
        await Api.StartAsync(new StartExecutionRequest { Id = "waits", Command = command + "waits", KeepOutputBytes = 1 << 20, Overflow = OverflowPolicy.Wait });
        await Api.StartAsync(new StartExecutionRequest { Id = "drops", Command = command + "drops", KeepOutputBytes = 1 << 20, Overflow = OverflowPolicy.Drop });
        (await Api.EventsAsync("drops", Framing.Frames).OutputAsync()).Exited.TruncatedBytes.ShouldBePositive();
        await Published.EventuallyAsync(() => Api.StateAsync("waits").GetAwaiter().GetResult().StdoutBytes >= (3 << 18) - 100, "it does not fill its log");
        (await Api.RunAsync("ls /tmp/waits /tmp/drops")).Stdout.ShouldBe("/tmp/drops\n");

        (await Api.GetEventsAsync("waits", Framing.Frames, query: "&output=false")).Dispose();
        (await Api.StateAsync("waits")).StdoutBytes.ShouldBeInRange((3 << 18) - 100, 1 << 20);
        var read = await Api.EventsAsync("waits", Framing.Frames).OutputAsync();

        (read.Stdout.Length, read.Truncated).ShouldBe((3_000_000, 0));
    }

    [Fact]
    public async Task Without_output_only_the_start_and_the_end_are_told()
    {
        await Api.StartAsync(new StartExecutionRequest { Id = "quiet", Command = "seq 10000" });
        using var response = await Api.GetEventsAsync("quiet", Framing.Text, query: "&output=false");

        var names = (await ExecutionsApi.ReadAsync(response, Framing.Text, 0, skips: true).ToListAsync()).Select(item => item.Name);

        names.ShouldBe([ExecutionEventNames.Started, ExecutionEventNames.Exited]);
    }

    [Fact]
    public async Task A_deleted_execution_breaks_its_readers_off()
    {
        await Api.StartAsync(new StartExecutionRequest { Id = "broken", Command = "echo here; sleep 1000" });
        using var response = await Api.GetEventsAsync("broken", Framing.Text);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        while (await reader.ReadLineAsync() is { } line && !line.Contains("here", StringComparison.Ordinal))
        {
        }

        (await Api.DeleteAsync("broken")).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        await Should.ThrowAsync<HttpIOException>(reader.ReadToEndAsync());
    }
}
