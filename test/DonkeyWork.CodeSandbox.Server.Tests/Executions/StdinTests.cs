using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;
using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Server.Tests.Executions;

public sealed class StdinTests(BothKinds containers, ITestOutputHelper output) : IClassFixture<BothKinds>
{
    private ExecutorApi Api => containers[KillMode.Cgroup].Api;

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task Input_arrives_in_order_each_byte_once_and_ends(KillMode mode)
    {
        var api = containers[mode].Api;
        await api.StartAsync(new StartExecutionRequest { Id = "cat", Command = "cat", Stdin = true });

        (await OffsetAsync(await api.PostStdinAsync("cat", new ByteArrayContent("hello "u8.ToArray()), 0))).ShouldBe(6);
        (await OffsetAsync(await api.PostStdinAsync("cat", new ByteArrayContent("lo there"u8.ToArray()), 3))).ShouldBe(11);
        (await OffsetAsync(await api.PostStdinAsync("cat", new ByteArrayContent("!"u8.ToArray())))).ShouldBe(12);
        (await OffsetAsync(await api.PostStdinAsync("cat", new ByteArrayContent("hello"u8.ToArray()), 0))).ShouldBe(12);
        var gap = await RequestTests.ProblemAsync(await api.PostStdinAsync("cat", new ByteArrayContent([1]), 13), HttpStatusCode.Conflict, ErrorCodes.StdinGap);
        gap.Offset.ShouldBe(12);
        (await api.CloseStdinAsync("cat")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await api.CloseStdinAsync("cat")).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        var read = await api.EventsAsync("cat", Framing.Frames).OutputAsync();
        read.Stdout.ShouldBe("hello there!"u8.ToArray());
        read.Exited.ExitCode.ShouldBe(0);
        await RequestTests.ProblemAsync(await api.PostStdinAsync("cat", new ByteArrayContent([1]), 12), HttpStatusCode.Conflict, ErrorCodes.StdinClosed);
        await RequestTests.ProblemAsync(await api.PostStdinAsync("cat", new ByteArrayContent("?!?"u8.ToArray()), 10), HttpStatusCode.Conflict, ErrorCodes.StdinClosed);
        // Who has not had the answer asks again.
        (await OffsetAsync(await api.PostStdinAsync("cat", new ByteArrayContent("there!"u8.ToArray()), 6))).ShouldBe(12);
    }

    [Fact]
    public async Task A_writer_that_is_cut_in_the_middle_goes_on_where_it_was()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var input = new byte[3_000_000];
        random.NextBytes(input);
        await Api.StartAsync(new StartExecutionRequest { Id = "sum", Command = "sha256sum", Stdin = true });

        long offset = 0;
        for (var cut = 0; cut < 20; cut++)
        {
            // The body breaks off after some bytes, as a caller's connection does.
            var end = (int)Math.Min(input.Length, offset + random.Next(1, 300_000));
            using var body = new BrokenOff(input.AsMemory((int)offset, end - (int)offset));
            await Should.ThrowAsync<HttpRequestException>(Api.PostStdinAsync("sum", body, offset));
            using var probe = await Api.PostStdinAsync("sum", new ByteArrayContent([]), long.MaxValue);
            offset = (await RequestTests.ProblemAsync(probe, HttpStatusCode.Conflict, ErrorCodes.StdinGap)).Offset.ShouldNotBeNull();
            offset.ShouldBeLessThanOrEqualTo(end);
        }

        var again = (int)Math.Max(0, offset - 1_000);
        (await OffsetAsync(await Api.PostStdinAsync("sum", new ByteArrayContent(input[again..]), again))).ShouldBe(input.Length);
        await Api.CloseStdinAsync("sum");
        var read = await Api.EventsAsync("sum", Framing.Text).OutputAsync();
        System.Text.Encoding.ASCII.GetString(read.Stdout).ShouldStartWith(Convert.ToHexStringLower(SHA256.HashData(input)));
    }

    [Fact]
    public async Task A_new_writer_takes_the_place_of_one_that_is_stuck()
    {
        await Api.StartAsync(new StartExecutionRequest { Id = "stuck", Command = "perl -e 'sysread STDIN, $x, 1; print qq(here\\n)'; until [ -e /tmp/read ]; do sleep 0.02; done; wc -c", Stdin = true });
        var first = Api.PostStdinAsync("stuck", new ByteArrayContent(new byte[1_000_000]), 0);
        // It has begun when something of it has arrived; were it later than the second, it would be what takes the place.
        await foreach (var item in Api.EventsAsync("stuck", Framing.Text))
        {
            if (item.Channel is not null)
                break;
        }

        using var second = await Api.PostStdinAsync("stuck", new ByteArrayContent([]), 0);
        var taken = await OffsetAsync(second);
        await RequestTests.ProblemAsync(await first, HttpStatusCode.Conflict, ErrorCodes.StdinGap);
        await Api.RunAsync("touch /tmp/read");
        (await OffsetAsync(await Api.PostStdinAsync("stuck", new ByteArrayContent(new byte[1_000_000]), 0))).ShouldBe(1_000_000);
        await Api.CloseStdinAsync("stuck");

        taken.ShouldBeLessThan(1_000_000);
        (await Api.EventsAsync("stuck", Framing.Text).OutputAsync()).Stdout.ShouldBe("here\n999999\n"u8.ToArray());
    }

    [Fact]
    public async Task Input_that_nobody_reads_is_refused()
    {
        await Api.StartAsync(new StartExecutionRequest { Id = "deaf", Command = "exec <&-; sleep 1000", Stdin = true });
        await Published.EventuallyAsync(
            () => Api.PostStdinAsync("deaf", new ByteArrayContent([1])).GetAwaiter().GetResult().StatusCode == HttpStatusCode.Conflict, "it is taken");

        await RequestTests.ProblemAsync(await Api.PostStdinAsync("deaf", new ByteArrayContent([1])), HttpStatusCode.Conflict, ErrorCodes.StdinClosed);
        (await Api.DeleteAsync("deaf")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    private static async Task<long> OffsetAsync(HttpResponseMessage response)
    {
        using (response)
        {
            var text = await response.Content.ReadAsStringAsync();
            response.StatusCode.ShouldBe(HttpStatusCode.OK, text);
            return JsonSerializer.Deserialize(text, ContractsJsonContext.Default.StdinResult)!.Offset;
        }
    }

    private sealed class BrokenOff(ReadOnlyMemory<byte> bytes) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(bytes);
            await stream.FlushAsync();
            throw new IOException("cut");
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
