using System.Net;
using System.Net.Http.Headers;
using System.Text;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Manager.Tests;

/// <summary>What of a request reaches the executor, on every route that is relayed, and what of its answer comes back.</summary>
public sealed class RelayedRoutesTests : IAsyncLifetime
{
    private const string Problem = "application/problem+json";

    private TestManager _manager = null!;
    private string _name = null!;

    public async Task InitializeAsync()
    {
        _manager = await TestManager.StartAsync();
        _name = await _manager.CreateAsync();
    }

    public async Task DisposeAsync() => await _manager.DisposeAsync();

    [Theory]
    [InlineData("POST", "execute", "application/json", "text/event-stream")]
    [InlineData("POST", "executions", "application/json", "application/vnd.codesandbox.frames")]
    [InlineData("GET", "executions", null, "application/json")]
    [InlineData("GET", "executions/a.b_c-1", null, "application/json")]
    [InlineData("DELETE", "executions/a", null, "application/json")]
    [InlineData("GET", "executions/a/events?after=12", null, "text/event-stream")]
    [InlineData("GET", "executions/a/events?output=false", null, "application/vnd.codesandbox.frames")]
    [InlineData("POST", "executions/a/stdin?offset=3", "application/octet-stream", "application/json")]
    [InlineData("POST", "executions/a/stdin?offset=0", "application/x-www-form-urlencoded", "application/json")]
    [InlineData("PUT", "files?path=b", "image/png", "application/json")]
    [InlineData("DELETE", "executions/a/stdin", null, "application/json")]
    [InlineData("POST", "executions/a/signal", "application/json", "application/json")]
    [InlineData("POST", "executions/a/resize", "application/json", "application/json")]
    [InlineData("GET", "files?path=a", null, "application/x-tar")]
    [InlineData("PUT", "files?path=a", "application/x-tar", "application/json")]
    [InlineData("DELETE", "files?path=a&recursive=true", null, "application/json")]
    [InlineData("GET", "files/list?path=a&depth=2", null, "application/json")]
    [InlineData("POST", "files/move", "application/json", "application/json")]
    [InlineData("POST", "files/directory", "application/json", "application/json")]
    [InlineData("GET", "files/watch?path=a", null, "text/event-stream")]
    public async Task A_route_leads_to_the_executors_own_with_body_and_answer_untouched(string method, string path, string? takes, string answers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), $"/api/kata/{_name}/{path}");
        request.Headers.TryAddWithoutValidation("Accept", answers);
        request.Headers.TryAddWithoutValidation("Cookie", "a=b");
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", "10.0.0.1");
        request.Headers.TryAddWithoutValidation("X-Sandbox-Token", "mine");
        if (takes is not null) request.Content = new ByteArrayContent([0, 255, (byte)'x']) { Headers = { ContentType = new MediaTypeHeaderValue(takes) } };
        var sending = _manager.Http.SendAsync(request);

        var call = await _manager.Executor.NextCallAsync();
        (call.Method, call.Target).ShouldBe((method, $"/api/{path}"));
        call.Body.ShouldBe(takes is null ? [] : [0, 255, (byte)'x']);
        call.Header("Content-Type").ShouldBe(takes);
        call.Header("Accept").ShouldBe(answers);
        call.Header("Cookie").ShouldBeNull();
        call.Header("X-Forwarded-For").ShouldBeNull();
        call.Header("X-Sandbox-Token").ShouldNotBe("mine");
        await call.AnswerAsync("200 OK", answers, "\u00ff\0answer");

        using var response = await sending;
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.ToString().ShouldBe(answers);
        Encoding.Latin1.GetString(await response.Content.ReadAsByteArrayAsync()).ShouldBe("\u00ff\0answer");
        response.Headers.CacheControl!.ToString().ShouldBe(answers is "text/event-stream" or "application/vnd.codesandbox.frames" ? "no-cache" : "no-store");
        response.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        response.Content.Headers.ContentDisposition?.ToString().ShouldBe(answers == "application/x-tar" ? "attachment" : null);
    }

    [Theory]
    [InlineData("..%2f..%2fapi%2fclaim")]
    [InlineData(".a")]
    [InlineData("a%00")]
    [InlineData("a%0a")]
    [InlineData("a%3fb")]
    [InlineData("%c3%a9")]
    [InlineData("a%20b")]
    [InlineData("01234567890123456789012345678901234567890123456789012345678901234")]
    public async Task What_can_be_no_executions_id_is_404_without_a_call(string id)
    {
        foreach (var path in (string[])["", "/events", "/stdin"])
        {
            var answer = await RawHttp.AskAsync(_manager.Url, $"GET /api/kata/{_name}/executions/{id}{path} HTTP/1.1", "Host: localhost");
            RawHttp.StatusOf(answer).ShouldBeOneOf(400, 404, 405);
        }

        _manager.Executor.HasCall.ShouldBeFalse();
    }

    [Theory]
    [InlineData("path=..%2F..%2Fetc&x=%26y%3D1%23&z=a+b", "path=..%2F..%2Fetc&x=%26y%3D1%23&z=a%20b")]
    [InlineData("path=a;b%3Bc&path=d", "path=a%3Bb%3Bc&path=d")]
    [InlineData("path=%c3%a9\"<'", "path=%C3%A9%22%3C%27")]
    public async Task A_query_arrives_with_its_meaning_and_escaped(string query, string arrives)
    {
        var asking = RawHttp.AskAsync(_manager.Url, $"GET /api/kata/{_name}/files/list?{query} HTTP/1.1", "Host: localhost");
        var call = await _manager.Executor.NextCallAsync();
        call.Target.ShouldBe($"/api/files/list?{arrives}");
        await call.AnswerAsync("200 OK", "application/json", "[]");
        RawHttp.StatusOf(await asking).ShouldBe(200);
    }

    [Fact]
    public async Task A_path_of_4096_bytes_fits_even_if_each_is_escaped()
    {
        var path = string.Concat(Enumerable.Repeat("%C3%A9", 2048));
        var asking = _manager.Http.GetAsync($"/api/kata/{_name}/files?path={path}");
        var call = await _manager.Executor.NextCallAsync();
        call.Target.ShouldBe($"/api/files?path={path}");
        await call.AnswerAsync("404 Not Found", Problem, """{"code":"not_found"}""");
        (await asking).StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Conditions_and_ranges_go_along_and_a_file_may_be_unmodified()
    {
        var asking = RawHttp.AskAsync(_manager.Url, $"GET /api/kata/{_name}/files?path=a HTTP/1.1", "Host: localhost", "If-None-Match: \"1\"", "Range: bytes=0-1", "If-Range: \"1\"", "If-Match: *");
        var call = await _manager.Executor.NextCallAsync();
        (call.Header("If-None-Match"), call.Header("Range"), call.Header("If-Range"), call.Header("If-Match")).ShouldBe(("\"1\"", "bytes=0-1", "\"1\"", "*"));
        await call.SendAsync("HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n");

        var answer = await asking;
        RawHttp.StatusOf(answer).ShouldBe(304);
        answer.ShouldContain("\r\nETag: \"1\"\r\n");
        answer.ShouldEndWith("\r\n\r\n");
    }

    [Fact]
    public async Task Only_a_file_may_be_unmodified()
    {
        var asking = _manager.Http.GetAsync($"/api/kata/{_name}/files/list?path=a");
        await (await _manager.Executor.NextCallAsync()).SendAsync("HTTP/1.1 304 Not Modified\r\n\r\n");
        await (await asking).ShouldBeProblemAsync(HttpStatusCode.BadGateway, "executor_error");
    }

    [Fact]
    public async Task HEAD_tells_the_size_and_416_the_size_that_there_is()
    {
        var asking = RawHttp.AskAsync(_manager.Url, $"HEAD /api/kata/{_name}/files?path=a HTTP/1.1", "Host: localhost");
        var call = await _manager.Executor.NextCallAsync();
        call.Method.ShouldBe("HEAD");
        await call.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 5000000000\r\nX-File-Mode: 0644\r\nConnection: close\r\n\r\n");
        var answer = await asking;
        answer.ShouldContain("\r\nContent-Length: 5000000000\r\n");
        answer.ShouldContain("\r\nX-File-Mode: 0644\r\n");
        answer.ShouldContain("\r\nContent-Disposition: attachment\r\n");
        answer.ShouldEndWith("\r\n\r\n");

        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/kata/{_name}/files?path=a") { Headers = { Range = new RangeHeaderValue(9, null) } };
        var ranging = _manager.Http.SendAsync(request);
        await (await _manager.Executor.NextCallAsync()).AnswerAsync("416 Range Not Satisfiable", Problem, """{"code":"range_not_satisfiable"}""", "Content-Range: bytes */5\r\n");
        using var response = await ranging;
        response.StatusCode.ShouldBe(HttpStatusCode.RequestedRangeNotSatisfiable);
        response.Content.Headers.ContentRange!.ToString().ShouldBe("bytes */5");
    }

    [Fact]
    public async Task A_header_that_cannot_be_passed_on_is_400_and_never_left_out()
    {
        var answer = await RawHttp.AskAsync(_manager.Url, $"PUT /api/kata/{_name}/files?path=a HTTP/1.1", "Host: localhost", "Content-Length: 0", "If-Match: \"caf\u00c3\u00a9\"");
        RawHttp.StatusOf(answer).ShouldBe(400);
        _manager.Executor.HasCall.ShouldBeFalse();
    }

    [Theory]
    [InlineData("PUT", "files?path=a", "507 Insufficient Storage")]
    [InlineData("POST", "executions/a/stdin?offset=9", "409 Conflict")]
    public async Task An_answer_that_comes_before_the_body_has_reaches_the_caller(string method, string path, string status)
    {
        _manager.Executor.ReadsBodies = false;
        using var caller = await RawHttp.ConnectAsync(_manager.Url);
        await caller.SendAsync($"{method} /api/kata/{_name}/{path} HTTP/1.1", "Host: localhost", "Content-Length: 1000000000000");
        await caller.WriteAsync("some");
        var call = await _manager.Executor.NextCallAsync();
        // Whoever may refuse in the middle is not told how much there would be.
        call.Header("Transfer-Encoding").ShouldBe("chunked");
        await call.AnswerAsync(status, Problem, """{"code":"refused"}""", "Connection: close\r\n");
        (await caller.ReadUntilAsync("refused")).ShouldStartWith($"HTTP/1.1 {status[..3]}");
    }

    [Fact]
    public async Task Who_was_answered_before_the_end_of_a_body_may_send_the_rest_and_ask_something_else()
    {
        _manager.Executor.ReadsBodies = false;
        using var caller = await RawHttp.ConnectAsync(_manager.Url);
        await caller.SendAsync($"PUT /api/kata/{_name}/files?path=a HTTP/1.1", "Host: localhost", "Content-Length: 8");
        await caller.WriteAsync("some");
        var put = await _manager.Executor.NextCallAsync();
        await put.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
        await TakeAsync(put, "4\r\nsome\r\n".Length);
        // While more of the body is waited for.
        await put.AnswerAsync("507 Insufficient Storage", Problem, """{"code":"refused"}""", "Connection: close\r\n");
        await caller.ReadUntilAsync("refused");

        await caller.WriteAsync("more");
        await caller.SendAsync($"GET /api/kata/{_name}/files?path=a HTTP/1.1", "Host: localhost");

        await (await _manager.Executor.NextCallAsync()).AnswerAsync("200 OK", "application/octet-stream", "the file");
        await caller.ReadUntilAsync("the file");
    }

    [Fact]
    public async Task A_body_of_bytes_may_be_larger_than_any_other_and_one_that_is_cut_is_cut()
    {
        _manager.Executor.ReadsBodies = false;
        using var caller = await RawHttp.ConnectAsync(_manager.Url);
        await caller.SendAsync($"PUT /api/kata/{_name}/files?path=a HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked");
        var call = await _manager.Executor.NextCallAsync();
        await call.SendAsync("HTTP/1.1 100 Continue\r\n\r\n");
        const int Size = 80 * 1024 * 1024;
        var taking = TakeAsync(call, Size);
        var chunk = $"100000\r\n{new string('x', 1 << 20)}\r\n";
        for (var i = 0; i < Size >> 20; i++) await caller.WriteAsync(chunk);
        await taking;
        caller.Cut();

        var rest = new MemoryStream();
        try
        {
            await call.Connection.CopyToAsync(rest).WaitAsync(Patience.Limit);
        }
        catch (IOException)
        {
            // A reset is an end too.
        }

        Encoding.Latin1.GetString(rest.ToArray()).ShouldNotContain("0\r\n\r\n");
    }

    private static async Task TakeAsync(ExecutorCall call, int bytes)
    {
        var buffer = new byte[1 << 20];
        while (bytes > 0)
        {
            var count = await call.Connection.ReadAsync(buffer).AsTask().WaitAsync(Patience.Limit);
            count.ShouldBeGreaterThan(0);
            bytes -= count;
        }
    }
}
