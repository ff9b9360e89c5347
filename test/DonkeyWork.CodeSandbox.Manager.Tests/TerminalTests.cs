using System.Net;
using System.Net.WebSockets;
using System.Text;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Manager.Tests;

/// <summary>The terminal's WebSocket, from a real client through a real Kestrel to an executor that a test scripts.</summary>
public sealed class TerminalTests : IAsyncLifetime
{
    private const string Key = "correct-horse/battery+staple=";

    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(20);

    private readonly ManualClock _clock = new();
    private TestManager _manager = null!;
    private string _name = null!;

    public async Task InitializeAsync()
    {
        _manager = await TestManager.StartAsync(_clock, $"--ApiKey={Key}", $"--KataContainerManager:DrainSeconds={DrainTime.TotalSeconds}");
        _manager.Http.DefaultRequestHeaders.Add("X-Api-Key", Key);
        _name = await _manager.CreateAsync();
    }

    public async Task DisposeAsync() => await _manager.DisposeAsync();

    [Fact]
    public async Task Frames_pass_in_both_directions_as_they_are_fragments_too()
    {
        var (caller, executor, call) = await OpenAsync("?execution=a%2Fb;c&cols=80");
        call.Target.ShouldBe("/api/terminal?execution=a%2Fb%3Bc&cols=80");
        call.Header("X-Sandbox-Token").ShouldNotBeNullOrEmpty();
        call.Header("X-Sandbox-Query").ShouldBeNull();

        await caller.SendAsync("typ"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: false, CancellationToken.None);
        await ReceivesAsync(executor, "typ", WebSocketMessageType.Text, isEnd: false);
        await caller.SendAsync("ed"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        await ReceivesAsync(executor, "ed", WebSocketMessageType.Text, isEnd: true);

        await executor.SendAsync(new byte[] { 0xff, 0, 1 }, WebSocketMessageType.Binary, endOfMessage: false, CancellationToken.None);
        await ReceivesAsync(caller, "\u00ff\0\u0001", WebSocketMessageType.Binary, isEnd: false);
        await executor.SendAsync("x"u8.ToArray(), WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
        await ReceivesAsync(caller, "x", WebSocketMessageType.Binary, isEnd: true);
    }

    [Fact]
    public async Task The_executor_closes_with_the_exit_code_and_the_caller_gets_it()
    {
        var (caller, executor, _) = await OpenAsync();
        await executor.SendAsync("last words"u8.ToArray(), WebSocketMessageType.Binary, true, CancellationToken.None);
        await executor.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "137", CancellationToken.None);

        await ReceivesAsync(caller, "last words", WebSocketMessageType.Binary, isEnd: true);
        await ClosesAsync(caller, WebSocketCloseStatus.NormalClosure, "137");
        await ClosesAsync(executor, WebSocketCloseStatus.NormalClosure, "");
    }

    [Theory]
    [InlineData(WebSocketCloseStatus.NormalClosure, true)]
    [InlineData(WebSocketCloseStatus.EndpointUnavailable, true)]
    [InlineData(WebSocketCloseStatus.ProtocolError, false)]
    [InlineData((WebSocketCloseStatus)4000, false)]
    [InlineData(WebSocketCloseStatus.Empty, false)]
    public async Task A_callers_close_reaches_the_executor_as_one_only_where_it_means_to_hang_up(WebSocketCloseStatus status, bool isPassed)
    {
        var (caller, executor, _) = await OpenAsync();
        await caller.CloseOutputAsync(status, null, CancellationToken.None);

        if (!isPassed)
        {
            await BreaksAsync(executor);
            return;
        }

        await ClosesAsync(executor, status, "");
        await executor.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "129", CancellationToken.None);
        await ClosesAsync(caller, WebSocketCloseStatus.NormalClosure, "129");
    }

    [Fact]
    public async Task A_caller_that_breaks_off_breaks_off_the_executor()
    {
        var (caller, executor, _) = await OpenAsync();
        caller.Abort();
        await BreaksAsync(executor);
    }

    [Fact]
    public async Task An_executor_that_breaks_off_while_the_sandbox_is_there_closes_the_caller_with_1014()
    {
        var (caller, _, call) = await OpenAsync();
        call.Cut();
        await ClosesAsync(caller, (WebSocketCloseStatus)1014, "executor_unreachable");
    }

    [Fact]
    public async Task An_executor_that_breaks_off_because_the_sandbox_is_gone_closes_the_caller_with_1011()
    {
        var (caller, _, call) = await OpenAsync();
        using var deleted = await _manager.Http.DeleteAsync($"/api/kata/{_name}");
        deleted.StatusCode.ShouldBe(HttpStatusCode.OK);
        call.Cut();
        await ClosesAsync(caller, WebSocketCloseStatus.InternalServerError, "sandbox_lost");
    }

    [Fact]
    public async Task An_executor_that_is_silent_for_thirty_seconds_is_lost()
    {
        var (caller, executor, _) = await OpenAsync();
        await caller.SendAsync("a"u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
        await ReceivesAsync(executor, "a", WebSocketMessageType.Text, isEnd: true);
        _clock.Advance(ExecutorResponse.Silence - TimeSpan.FromSeconds(1));
        // The caller is heard of, which is nothing in the executor's favour.
        await caller.SendAsync("b"u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
        await ReceivesAsync(executor, "b", WebSocketMessageType.Text, isEnd: true);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await ClosesAsync(caller, (WebSocketCloseStatus)1014, "executor_unreachable");
    }

    [Fact]
    public async Task A_stopping_Manager_closes_the_caller_with_1012_and_breaks_off_the_executor()
    {
        var (caller, executor, _) = await OpenAsync();
        var draining = _clock.TimerAsync(DrainTime);
        var stopping = _manager.StopAsync();
        await draining.WaitAsync(Patience.Limit);
        await executor.SendAsync("still"u8.ToArray(), WebSocketMessageType.Binary, true, CancellationToken.None);
        await ReceivesAsync(caller, "still", WebSocketMessageType.Binary, isEnd: true);
        stopping.IsCompleted.ShouldBeFalse();

        _clock.Advance(DrainTime);

        await ClosesAsync(caller, (WebSocketCloseStatus)1012, "stopping");
        await BreaksAsync(executor);
        await caller.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        await stopping.WaitAsync(Patience.Limit);
    }

    [Fact]
    public async Task A_caller_that_does_not_read_holds_the_executor_and_gets_everything_later()
    {
        const int Frames = 64;
        var (caller, executor, call) = await OpenAsync();
        var frame = new byte[1 << 20];
        var sent = 0;
        var sending = Task.Run(async () =>
        {
            for (; sent < Frames; sent++) await executor.SendAsync(frame, WebSocketMessageType.Binary, true, CancellationToken.None);
        });
        // Sixteen times what may be on its way: whoever is not held sends it all in no time.
        await Patience.UntilAsync(Held, () => $"{sent} of {Frames} frames were taken");
        call.Method.ShouldBe("GET");

        var buffer = new byte[1 << 16];
        for (var missing = Frames * (long)frame.Length; missing > 0;)
            missing -= (await caller.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(Patience.Limit)).Count;
        await sending.WaitAsync(Patience.Limit);

        bool Held()
        {
            var before = sent;
            SpinWait.SpinUntil(() => sent != before, TimeSpan.FromMilliseconds(200));
            return sent == before && sent < Frames;
        }
    }

    [Theory]
    [InlineData("409 Conflict", "not_claimed")]
    [InlineData("404 Not Found", "execution_not_found")]
    public async Task What_the_executor_refuses_is_its_problem_before_the_upgrade(string status, string code)
    {
        var answer = UpgradeAsync(_name);
        await (await _manager.Executor.NextCallAsync()).AnswerAsync(status, "application/problem+json", $$"""{"code":"{{code}}"}""");
        (await answer).ShouldSatisfyAllConditions(
            response => RawHttp.StatusOf(response).ShouldBe(int.Parse(status.Split(' ')[0])),
            response => response.ShouldContain($"\"code\":\"{code}\""));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/problem+json\r\nContent-Length: 2\r\n\r\n{}")]
    [InlineData("HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: AAAA\r\n\r\n")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")]
    public async Task An_executor_that_answers_anything_else_is_502(string answer)
    {
        var upgrading = UpgradeAsync(_name);
        await (await _manager.Executor.NextCallAsync()).SendAsync(answer);
        var response = await upgrading;
        RawHttp.StatusOf(response).ShouldBe(502);
        response.ShouldContain("\"code\":\"executor_error\"");
        response.ShouldNotContain("elsewhere");
    }

    [Fact]
    public async Task A_request_for_no_WebSocket_is_400_and_an_unknown_sandbox_404()
    {
        using var plain = await _manager.Http.GetAsync($"/api/kata/{_name}/terminal");
        await plain.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "invalid_request");
        RawHttp.StatusOf(await UpgradeAsync("kata-sandbox-00000000")).ShouldBe(404);
        _manager.Executor.HasCall.ShouldBeFalse();
    }

    /// <summary>As a page opens one: the key is a subprotocol, and <c>codesandbox</c> the one that is chosen.</summary>
    private async Task<(ClientWebSocket Caller, WebSocket Executor, ExecutorCall Call)> OpenAsync(string query = "")
    {
        var caller = new ClientWebSocket();
        caller.Options.AddSubProtocol("codesandbox");
        caller.Options.AddSubProtocol("key." + Convert.ToBase64String(Encoding.UTF8.GetBytes(Key)).TrimEnd('=').Replace('+', '-').Replace('/', '_'));
        var connecting = caller.ConnectAsync(new Uri($"ws://{_manager.Url.Authority}/api/kata/{_name}/terminal{query}"), CancellationToken.None);
        var call = await _manager.Executor.NextCallAsync();
        call.Header("Sec-WebSocket-Protocol").ShouldBeNull();
        // Nothing is granted before the executor has.
        connecting.IsCompleted.ShouldBeFalse();
        var executor = await call.UpgradeAsync();
        await connecting.WaitAsync(Patience.Limit);
        caller.SubProtocol.ShouldBe("codesandbox");
        return (caller, executor, call);
    }

    private Task<string> UpgradeAsync(string name) => RawHttp.AskAsync(
        _manager.Url, $"GET /api/kata/{name}/terminal HTTP/1.1", "Host: localhost", $"X-Api-Key: {Key}",
        "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");

    private static async Task ReceivesAsync(WebSocket socket, string bytes, WebSocketMessageType type, bool isEnd)
    {
        var buffer = new byte[1024];
        var result = await socket.ReceiveAsync(buffer, CancellationToken.None).WaitAsync(Patience.Limit);
        (Encoding.Latin1.GetString(buffer, 0, result.Count), result.MessageType, result.EndOfMessage).ShouldBe((bytes, type, isEnd));
    }

    private static async Task ClosesAsync(WebSocket socket, WebSocketCloseStatus status, string words)
    {
        var result = await socket.ReceiveAsync(new byte[1024], CancellationToken.None).WaitAsync(Patience.Limit);
        (result.MessageType, socket.CloseStatus, socket.CloseStatusDescription ?? "").ShouldBe((WebSocketMessageType.Close, status, words));
    }

    private static async Task BreaksAsync(WebSocket socket) =>
        (await Should.ThrowAsync<WebSocketException>(() => socket.ReceiveAsync(new byte[1024], CancellationToken.None).WaitAsync(Patience.Limit)))
            .WebSocketErrorCode.ShouldBe(WebSocketError.ConnectionClosedPrematurely);
}
