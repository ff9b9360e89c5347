using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests;

public sealed class RequestTests(BothKinds containers) : IClassFixture<BothKinds>
{
    private ExecutorApi Api => containers[KillMode.Cgroup].Api;

    [Fact]
    public async Task The_stream_is_byte_for_byte_what_existing_clients_read()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Api.SocketPath));
        const string body = """{"Command":"echo hello; printf 'end'","unknown":[1]}""";
        await socket.SendAsync(Encoding.UTF8.GetBytes(
            $"POST /api/execute HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
        using var reader = new StreamReader(new NetworkStream(socket), Encoding.UTF8);
        var answer = await reader.ReadToEndAsync();

        var head = answer[..answer.IndexOf("\r\n\r\n", StringComparison.Ordinal)].Split("\r\n");
        head[0].ShouldBe("HTTP/1.1 200 OK");
        head.ShouldContain("Content-Type: text/event-stream");
        head.ShouldContain("Cache-Control: no-cache");
        head.ShouldContain("X-Accel-Buffering: no");
        head.ShouldNotContain(line => line.StartsWith("Server:", StringComparison.Ordinal));
        var events = System.Text.RegularExpressions.Regex.Replace(answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..], "(^|(?<=\r\n))[0-9a-f]+\r\n|\r\n", "");
        events = System.Text.RegularExpressions.Regex.Replace(events, "\"pid\":[0-9]+", "\"pid\":12");
        events.ShouldBe(
            """
            event: OutputEvent
            data: {"$type":"OutputEvent","pid":12,"stream":"Stdout","data":"hello"}
            id: 1

            event: OutputEvent
            data: {"$type":"OutputEvent","pid":12,"stream":"Stdout","data":"end","partial":true}
            id: 2

            event: CompletedEvent
            data: {"$type":"CompletedEvent","pid":12,"exitCode":0,"timedOut":false}
            id: 3


            """);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData("{", null)]
    [InlineData("null", null)]
    [InlineData("[]", null)]
    [InlineData("[[[", null)]
    [InlineData("""{"command":x}""", null)]
    [InlineData("\"text\"", null)]
    [InlineData("""{"command":"\ud800"}""", null)]
    [InlineData("{}", "command")]
    [InlineData("""{"command":null}""", "command")]
    [InlineData("""{"command":5}""", "command")]
    [InlineData("""{"command":["a"]}""", "command")]
    [InlineData("""{"command":"a\u0000b"}""", "command")]
    [InlineData("""{"command":"","timeoutSeconds":0}""", "timeoutSeconds")]
    [InlineData("""{"command":"","timeoutSeconds":86401}""", "timeoutSeconds")]
    [InlineData("""{"command":"","timeoutSeconds":-1}""", "timeoutSeconds")]
    [InlineData("""{"command":"","timeoutSeconds":"5"}""", "timeoutSeconds")]
    [InlineData("""{"command":"","timeoutSeconds":1.5}""", "timeoutSeconds")]
    [InlineData("""{"command":"","timeoutSeconds":99999999999}""", "timeoutSeconds")]
    [InlineData("""{"command":"","timeoutSeconds":null}""", "timeoutSeconds")]
    [InlineData("""{"command":"","workingDirectory":""}""", "workingDirectory")]
    [InlineData("""{"command":"","workingDirectory":"/a\u0000"}""", "workingDirectory")]
    [InlineData("""{"command":"","environment":{"A=B":"c"}}""", "environment")]
    [InlineData("""{"command":"","environment":{"1A":"c"}}""", "environment")]
    [InlineData("""{"command":"","environment":{"A\n":"c"}}""", "environment")]
    [InlineData("""{"command":"","environment":{"A":"c\u0000"}}""", "environment")]
    [InlineData("""{"command":"","environment":{"A":null}}""", "environment")]
    [InlineData("""{"command":"","environment":{"A":1}}""", "environment")]
    [InlineData("""{"command":"","environment":[]}""", "environment")]
    public async Task A_wrong_body_is_refused_and_its_field_named(string body, string? field)
    {
        using var response = await Api.PostAsync("/api/execute", body);

        var problem = await ProblemAsync(response, HttpStatusCode.BadRequest, ErrorCodes.InvalidRequest);
        problem.Detail.ShouldNotBeNull().ShouldNotContain("Contracts");
        problem.Detail.ShouldNotContain("System.");
        if (field is not null)
            problem.Errors.ShouldNotBeNull().Keys.ShouldBe([field]);
    }

    [Fact]
    public async Task Bytes_that_are_not_UTF8_are_not_JSON()
    {
        var content = new ByteArrayContent([.. "{\"command\":\""u8, 0xFF, .. "\"}"u8]);
        content.Headers.ContentType = new("application/json");
        using var response = await Api.SendAsync(HttpMethod.Post, "/api/execute", content);

        await ProblemAsync(response, HttpStatusCode.BadRequest, ErrorCodes.InvalidRequest);
    }

    [Fact]
    public async Task All_wrong_fields_are_named_at_once()
    {
        using var response = await Api.PostAsync("/api/execute", """{"timeoutSeconds":0,"workingDirectory":"","environment":{"":""}}""");

        (await ProblemAsync(response, HttpStatusCode.BadRequest, ErrorCodes.InvalidRequest)).Errors.ShouldNotBeNull().Keys
            .ShouldBe(["command", "timeoutSeconds", "workingDirectory", "environment"]);
    }

    [Theory]
    [InlineData("GET", "/api/execute", HttpStatusCode.MethodNotAllowed, ErrorCodes.MethodNotAllowed)]
    [InlineData("POST", "/healthz", HttpStatusCode.MethodNotAllowed, ErrorCodes.MethodNotAllowed)]
    [InlineData("GET", "/", HttpStatusCode.NotFound, ErrorCodes.NotFound)]
    [InlineData("GET", "/api/nothing", HttpStatusCode.NotFound, ErrorCodes.NotFound)]
    [InlineData("GET", "/api/../healthz/x", HttpStatusCode.NotFound, ErrorCodes.NotFound)]
    public async Task What_is_no_route_is_a_problem(string method, string path, HttpStatusCode status, string code)
    {
        using var response = await Api.SendAsync(new HttpMethod(method), path);

        await ProblemAsync(response, status, code);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/jsonx")]
    public async Task Only_JSON_is_taken(string mediaType)
    {
        using var response = await Api.PostAsync("/api/execute", """{"command":"true"}""", mediaType);

        await ProblemAsync(response, HttpStatusCode.UnsupportedMediaType, ErrorCodes.UnsupportedMediaType);
    }

    [Fact]
    public async Task A_command_one_byte_too_long_is_refused()
    {
        using var response = await Api.ExecuteAsync(new ExecuteRequest { Command = new string('é', ExecuteRequest.MaxCommandBytes / 2) + "xx" });

        await ProblemAsync(response, HttpStatusCode.RequestEntityTooLarge, ErrorCodes.CommandTooLong);
    }

    [Fact]
    public async Task A_body_of_ten_megabytes_is_refused_and_the_next_request_served()
    {
        using var response = await Api.PostAsync("/api/execute", $$"""{"command":"{{new string('x', 10_000_000)}}"}""");

        await ProblemAsync(response, HttpStatusCode.RequestEntityTooLarge, ErrorCodes.BodyTooLarge);
        (await Api.IsHealthyAsync()).ShouldBeTrue();
    }

    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task What_cannot_start_is_a_problem_and_not_a_stream(KillMode mode)
    {
        var container = containers[mode];
        // The connection of what follows counts, too, where the one of its start has been idle for too long.
        (await container.Api.IsHealthyAsync()).ShouldBeTrue();
        var descriptors = HostProcess.CountDescriptors(container.Pid);
        foreach (var directory in (string[])["/nowhere", "/etc/passwd", "/root/../proc/1/fd"])
        {
            using var response = await container.Api.ExecuteAsync(new ExecuteRequest { Command = "true", WorkingDirectory = directory });
            (await ProblemAsync(response, HttpStatusCode.UnprocessableEntity, ErrorCodes.StartFailed)).Detail.ShouldNotBeNull().ShouldContain("directory");
        }

        var large = new string('x', 100_000);
        using var tooLarge = await container.Api.ExecuteAsync(new ExecuteRequest
        {
            Command = "true",
            Environment = new Dictionary<string, string> { ["A"] = large + large },
        });
        (await ProblemAsync(tooLarge, HttpStatusCode.UnprocessableEntity, ErrorCodes.StartFailed)).Detail.ShouldNotBeNull().ShouldContain("too long");
        await Published.EventuallyAsync(() => HostProcess.CountDescriptors(container.Pid) <= descriptors, "descriptors are left");
        await Published.EventuallyAsync(() => container.Processes().Count == 1, "processes are left");
    }

    [Fact]
    public async Task Stats_tell_what_runs_and_how_it_was_built()
    {
        var before = await Api.StatsAsync();
        before.Running.ShouldBe(0);
        before.OpenStreams.ShouldBe(0);
        before.Flavour.ShouldStartWith("native-aot net");
        await using var stream = Api.StreamAsync(new ExecuteRequest { Command = "echo here; sleep 60" }).GetAsyncEnumerator();
        await stream.MoveNextAsync();

        var during = await Api.StatsAsync();

        during.Running.ShouldBe(1);
        during.OpenStreams.ShouldBe(1);
        during.LastActivity.ShouldNotBeNull().ShouldBeGreaterThan(before.LastActivity ?? DateTimeOffset.MinValue);
    }

    internal static async Task<Problem> ProblemAsync(HttpResponseMessage response, HttpStatusCode status, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(status, text);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var problem = JsonSerializer.Deserialize(text, ContractsJsonContext.Default.Problem).ShouldNotBeNull();
        problem.Code.ShouldBe(code);
        problem.Status.ShouldBe((int)status);
        problem.Type.ShouldNotBeNullOrEmpty();
        problem.Title.ShouldNotBeNullOrEmpty();
        problem.Detail.ShouldNotBeNullOrEmpty();
        return problem;
    }
}
