using System.Buffers.Binary;
using System.Text;
using DonkeyWork.CodeSandbox.Client.Tests.Wire;

namespace DonkeyWork.CodeSandbox.Client.Tests.Executions;

/// <summary>Frames come from inside the sandbox: what is not exactly of the protocol is an error at once, and never output.</summary>
public sealed class HostileFrameTests
{
    private static readonly byte[] Started = FakeLog.Frame(1, """{"event":"started","executionId":"x","pid":12}""");

    public static TheoryData<string, byte[]> Bodies => new()
    {
        { "a stream that there is not", FakeLog.Frame(4, 2, "x"u8) },
        { "a negative position", FakeLog.Frame(1, -1, "x"u8) },
        { "a payload that is too large", Header(1, 65_538, 65_537) },
        { "a length beyond all bounds", Header(1, 2, uint.MaxValue) },
        { "a position that goes back", [.. FakeLog.Frame(1, 3, "xx"u8), .. FakeLog.Frame(1, 2, "x"u8)] },
        { "bytes that were there already", [.. FakeLog.Frame(1, 3, "xx"u8), .. FakeLog.Frame(1, 4, "xx"u8)] },
        { "a gap that was not told", FakeLog.Frame(1, 5, "x"u8) },
        { "a gap that was told too small", [.. FakeLog.Frame(3, """{"event":"truncated","stream":"stdout","bytes":1}"""), .. FakeLog.Frame(1, 4, "x"u8)] },
        { "empty output", FakeLog.Frame(1, 1, []) },
        { "a second start", Started },
        { "no JSON", FakeLog.Frame(1, "not json") },
        { "no object", FakeLog.Frame(1, "[]") },
        { "no name", FakeLog.Frame(1, "{}") },
        { "a name that is none", FakeLog.Frame(1, """{"event":7}""") },
        { "an event that there is not", FakeLog.Frame(1, """{"event":"surprise"}""") },
        { "a negative loss", FakeLog.Frame(1, """{"event":"truncated","stream":"stdout","bytes":-1}""") },
        { "a loss beyond all bounds", FakeLog.Frame(1, """{"event":"truncated","stream":"stdout","bytes":9223372036854775807}""") },
        { "a loss nowhere", FakeLog.Frame(1, """{"event":"truncated","stream":"9","bytes":1}""") },
        { "an exit without a state", FakeLog.Frame(2, """{"event":"exited"}""") },
        { "the exit of another", FakeLog.Frame(2, Exited("y", "exited")) },
        { "the exit of one that runs", FakeLog.Frame(2, Exited("x", "running")) },
        { "an exit behind a gap", FakeLog.Frame(9, Exited("x", "exited")) },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task What_is_not_of_the_protocol_is_refused(string what, byte[] body)
    {
        await using var server = await ServerOf([.. Started, .. body]);
        await using var client = new ExecutorClient(server.Address);
        var seen = new List<ProcessEvent>();

        var e = await Should.ThrowAsync<CodeSandboxException>(
            async () =>
            {
                await foreach (var next in client.GetExecution("x").ReadEventsAsync())
                    seen.Add(next);
            },
            what);

        e.Code.ShouldBe(ClientErrorCodes.UnexpectedResponse, what);
        server.Requests.Count.ShouldBe(1, what);
        seen.ShouldNotContain(s => s is ProcessExited, what);
    }

    [Fact]
    public async Task What_comes_behind_the_exit_changes_nothing()
    {
        await using var server = await ServerOf([.. Started, .. FakeLog.Frame(2, Exited("x", "exited")), .. FakeLog.Frame(1, 3, "x"u8)]);
        await using var client = new ExecutorClient(server.Address);

        var events = await client.GetExecution("x").ReadEventsAsync().ToListAsync().AsTask().OrFail();

        events.Select(e => e.GetType()).ShouldBe([typeof(ProcessStarted), typeof(ProcessExited)]);
    }

    [Theory]
    [InlineData("text/event-stream")]
    [InlineData("application/octet-stream")]
    public async Task Another_framing_than_was_asked_for_is_refused(string type)
    {
        await using var server = await WireServer.StartAsync(async context =>
        {
            context.Response.ContentType = type;
            await context.Response.Body.WriteAsync(Started);
        });
        await using var client = new ExecutorClient(server.Address);

        var e = await Should.ThrowAsync<CodeSandboxException>(client.GetExecution("x").WaitAsync().OrFail());

        e.Code.ShouldBe(ClientErrorCodes.UnexpectedResponse);
    }

    [Fact]
    public async Task A_stream_that_ends_without_an_exit_has_not_ended()
    {
        var asked = 0;
        await using var server = await WireServer.StartAsync(async context =>
        {
            context.Response.ContentType = FakeLog.MediaType;
            await context.Response.Body.WriteAsync(asked++ switch
            {
                0 => Started,
                1 => FakeLog.Frame(1, 4, "one"u8),
                _ => FakeLog.Frame(5, Exited("x", "exited")),
            });
        });
        await using var client = new ExecutorClient(server.Address);

        var text = await new StreamReader(client.GetExecution("x").StandardOutput).ReadToEndAsync().OrFail();

        text.ShouldBe("one");
        server.Requests.Select(r => r.Query).ShouldBe(["?after=0", "?after=1", "?after=4"]);
    }

    [Fact]
    public async Task Keep_alives_are_no_events()
    {
        var keepAlive = FakeLog.Frame(0, 1, []);
        await using var server = await ServerOf(
            [.. Started, .. keepAlive, .. keepAlive, .. FakeLog.Frame(1, 2, "x"u8), .. FakeLog.Frame(0, 2, []), .. FakeLog.Frame(3, Exited("x", "exited"))]);
        await using var client = new ExecutorClient(server.Address);

        (await client.GetExecution("x").ReadEventsAsync().CountAsync().AsTask().OrFail()).ShouldBe(3);
    }

    private static string Exited(string id, string status) =>
        $$"""{"event":"exited","id":"{{id}}","pid":12,"status":"{{status}}","startedAt":"2026-01-01T00:00:00Z","exitCode":0,"stdoutBytes":0,"stderrBytes":0,"truncatedBytes":0}""";

    private static byte[] Header(byte stream, long position, uint length)
    {
        var header = new byte[13];
        header[0] = stream;
        BinaryPrimitives.WriteInt64BigEndian(header.AsSpan(1), position);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(9), length);
        return header;
    }

    private static Task<WireServer> ServerOf(byte[] body) => WireServer.StartAsync(async context =>
    {
        context.Response.ContentType = FakeLog.MediaType;
        await context.Response.Body.WriteAsync(body);
        await context.Response.Body.FlushAsync();
        await Sse.GoneAsync(context);
    });
}
