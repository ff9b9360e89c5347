using System.Net;
using System.Text;

namespace DonkeyWork.CodeSandbox.Manager.Tests;

/// <summary>Without a key: programs of this machine and our own page. Every refusal stands beside what is let in.</summary>
public sealed class WhoMayCallTests : IAsyncLifetime
{
    private TestManager _manager = null!;

    public async Task InitializeAsync() => _manager = await TestManager.StartAsync();

    public async Task DisposeAsync() => await _manager.DisposeAsync();

    [Theory]
    [InlineData("localhost", 200)]
    [InlineData("LOCALHOST:1", 200)]
    [InlineData("127.0.0.1", 200)]
    [InlineData("127.0.0.1:9", 200)]
    [InlineData("[::1]", 200)]
    [InlineData("[::1]:8668", 200)]
    [InlineData("attacker.example", 403)]
    [InlineData("localhost.attacker.example", 403)]
    [InlineData("127.0.0.1.attacker.example:8668", 403)]
    [InlineData("127.0.0.2", 403)]
    [InlineData("0.0.0.0", 403)]
    [InlineData("[::2]", 403)]
    [InlineData("localhost.", 403)]
    [InlineData("", 403)]
    public async Task Only_names_of_this_machine_are_answered(string host, int status)
    {
        foreach (var path in (string[])["/api/kata", "/healthz", "/livez", "/openapi/v1.json", "/scalar/v1"])
        {
            var response = await RawHttp.AskAsync(_manager.Url, $"GET {path} HTTP/1.1", $"Host: {host}");
            RawHttp.StatusOf(response).ShouldBe(status, path);
            if (status == 403) response.ShouldContain("\"code\":\"host_not_allowed\"");
        }

        var missing = await RawHttp.AskAsync(_manager.Url, "GET /nothing HTTP/1.1", $"Host: {host}");
        RawHttp.StatusOf(missing).ShouldBe(status == 200 ? 404 : 403);
    }

    [Theory]
    [InlineData("http://127.0.0.1:{port}", true)]
    [InlineData("https://127.0.0.1:{port}", false)]
    [InlineData("http://localhost:{port}", false)]
    [InlineData("http://127.0.0.1:1", false)]
    [InlineData("http://127.0.0.1", false)]
    [InlineData("https://attacker.example", false)]
    [InlineData("http://127.0.0.1:{port}.attacker.example", false)]
    [InlineData("null", false)]
    [InlineData("", false)]
    public async Task No_page_may_call_but_our_own(string origin, bool isOurs)
    {
        origin = origin.Replace("{port}", $"{_manager.Url.Port}", StringComparison.Ordinal);
        var listed = await RawHttp.AskAsync(_manager.Url, "GET /api/kata HTTP/1.1", $"Host: 127.0.0.1:{_manager.Url.Port}", $"Origin: {origin}");
        var created = await RawHttp.AskAsync(
            _manager.Url, "POST /api/kata HTTP/1.1", $"Host: 127.0.0.1:{_manager.Url.Port}", $"Origin: {origin}", "Content-Length: 0");

        foreach (var response in (string[])[listed, created])
        {
            RawHttp.StatusOf(response).ShouldBe(isOurs ? 200 : 403);
            if (!isOurs) response.ShouldContain("\"code\":\"origin_not_allowed\"");
            response.ShouldNotContain("Access-Control-", Case.Insensitive);
        }

        _manager.Backend.Sandboxes.Count.ShouldBe(isOurs ? 1 : 0);
    }

    [Fact]
    public async Task A_preflight_is_refused()
    {
        var response = await RawHttp.AskAsync(
            _manager.Url, "OPTIONS /api/kata HTTP/1.1", "Host: localhost", "Origin: https://attacker.example", "Access-Control-Request-Method: DELETE");
        RawHttp.StatusOf(response).ShouldBe(403);
        response.ShouldNotContain("Access-Control-", Case.Insensitive);
    }

    [Theory]
    [InlineData("/api/kata/kata-sandbox-00000000/terminal")]
    [InlineData("/api/nothing")]
    [InlineData("/")]
    public async Task A_foreign_page_cannot_open_a_WebSocket_anywhere(string path)
    {
        string[] handshake = [$"GET {path} HTTP/1.1", $"Host: localhost:{_manager.Url.Port}", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];

        var foreign = await RawHttp.AskAsync(_manager.Url, [.. handshake, "Origin: https://attacker.example"]);
        RawHttp.StatusOf(foreign).ShouldBe(403);
        foreign.ShouldContain("\"code\":\"origin_not_allowed\"");

        var own = await RawHttp.AskAsync(_manager.Url, [.. handshake, $"Origin: http://localhost:{_manager.Url.Port}"]);
        RawHttp.StatusOf(own).ShouldBe(404);
    }

    [Theory]
    [InlineData("application/json", 200)]
    [InlineData("Application/JSON; charset=UTF-8", 200)]
    [InlineData("text/plain", 415)]
    [InlineData("application/x-www-form-urlencoded", 415)]
    [InlineData("multipart/form-data; boundary=x", 415)]
    [InlineData("application/json; charset=utf-16", 415)]
    [InlineData("application/merge-patch+json", 415)]
    [InlineData("text/plain; application/json", 415)]
    [InlineData(null, 415)]
    public async Task JSON_is_taken_only_as_application_json(string? type, int status)
    {
        using var content = new ByteArrayContent("{}"u8.ToArray());
        if (type is not null) content.Headers.TryAddWithoutValidation("Content-Type", type).ShouldBeTrue();
        using var created = await _manager.Http.PostAsync("/api/kata", content);
        ((int)created.StatusCode).ShouldBe(status);
        if (status == 200) return;

        await created.ShouldBeProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported_media_type");
        _manager.Backend.Sandboxes.ShouldBeEmpty();
        var name = await _manager.CreateAsync();
        using var execute = new ByteArrayContent("""{"command":"true"}"""u8.ToArray());
        if (type is not null) execute.Headers.TryAddWithoutValidation("Content-Type", type).ShouldBeTrue();
        using var executed = await _manager.Http.PostAsync($"/api/kata/{name}/execute", execute);
        await executed.ShouldBeProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported_media_type");
        _manager.Executor.HasCall.ShouldBeFalse();
    }
}

/// <summary>With a key: whoever knows it.</summary>
public sealed class ApiKeyTests : IAsyncLifetime
{
    private const string Key = "correct-horse/battery+staple=";

    private TestManager _manager = null!;

    public async Task InitializeAsync() => _manager = await TestManager.StartAsync($"--ApiKey={Key}");

    public async Task DisposeAsync() => await _manager.DisposeAsync();

    [Theory]
    [InlineData("X-Api-Key", Key, true)]
    [InlineData("Authorization", "Bearer " + Key, true)]
    [InlineData("Authorization", "bearer " + Key, true)]
    [InlineData("X-Api-Key", "correct-horse/battery+staple", false)]
    [InlineData("X-Api-Key", "correct-horse/battery+staple==", false)]
    [InlineData("X-Api-Key", "", false)]
    [InlineData("Authorization", Key, false)]
    [InlineData("Authorization", "Basic " + Key, false)]
    [InlineData("Authorization", "Bearer ", false)]
    [InlineData("Cookie", "X-Api-Key=" + Key, false)]
    [InlineData("Accept", "*/*", false)]
    public async Task Every_api_route_asks_for_the_key(string header, string value, bool isRight)
    {
        foreach (var (method, path) in ((string, string)[])[("GET", "/api/kata"), ("POST", "/api/kata"), ("DELETE", "/api/kata"), ("GET", "/api/kata/kata-sandbox-00000000"),
            ("DELETE", "/api/kata/kata-sandbox-00000000"), ("POST", "/api/kata/kata-sandbox-00000000/execute"), ("GET", "/API/KATA"), ("GET", "/api/nothing")])
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path);
            request.Headers.TryAddWithoutValidation(header, value).ShouldBeTrue();
            using var response = await _manager.Http.SendAsync(request);
            if (isRight)
            {
                response.StatusCode.ShouldNotBe(HttpStatusCode.Unauthorized);
                continue;
            }

            await response.ShouldBeProblemAsync(HttpStatusCode.Unauthorized, "unauthorized");
            response.Headers.WwwAuthenticate.ShouldHaveSingleItem().Scheme.ShouldBe("Bearer");
        }

        _manager.Backend.Specs.Count.ShouldBe(isRight ? 1 : 0);
    }

    [Theory]
    [InlineData("codesandbox, key.{key}", 404)]
    [InlineData("codesandbox,key.{key}", 404)]
    [InlineData("codesandbox, key.AAAA", 401)]
    [InlineData("codesandbox, key.!!", 401)]
    [InlineData("codesandbox", 401)]
    public async Task A_browser_gives_the_key_as_a_subprotocol(string protocols, int status)
    {
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(Key)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        var response = await RawHttp.AskAsync(
            _manager.Url, "GET /api/kata/kata-sandbox-00000000/terminal HTTP/1.1", "Host: sandboxes.example", "Origin: https://app.example",
            "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            $"Sec-WebSocket-Protocol: {protocols.Replace("{key}", encoded, StringComparison.Ordinal)}");
        RawHttp.StatusOf(response).ShouldBe(status);
    }

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/livez")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/scalar/v1")]
    public async Task What_watches_and_what_documents_needs_no_key(string path) =>
        (await _manager.Http.GetAsync(path)).StatusCode.ShouldBe(HttpStatusCode.OK);

    [Theory]
    [InlineData("/healthzz")]
    [InlineData("/scalarapi")]
    [InlineData("//healthz")]
    [InlineData("/healthz/../api/kata")]
    [InlineData("/openapi/..%2fapi/kata")]
    public async Task A_path_that_looks_open_is_not_a_way_in(string path)
    {
        var response = await RawHttp.AskAsync(_manager.Url, $"GET {path} HTTP/1.1", "Host: localhost");
        RawHttp.StatusOf(response).ShouldBeOneOf(401, 404);
        response.ShouldNotContain("[]");
    }

    [Fact]
    public async Task With_a_key_any_name_and_any_origin_will_do()
    {
        var response = await RawHttp.AskAsync(_manager.Url, "GET /api/kata HTTP/1.1", "Host: sandboxes.example", "Origin: https://app.example", $"X-Api-Key: {Key}");
        RawHttp.StatusOf(response).ShouldBe(200);
        response.ShouldNotContain("Access-Control-", Case.Insensitive);
    }
}
