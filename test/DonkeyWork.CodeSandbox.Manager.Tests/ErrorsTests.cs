using System.Net;
using System.Text;
using DonkeyWork.CodeSandbox.Sandboxes;
using Microsoft.Extensions.DependencyInjection;

namespace DonkeyWork.CodeSandbox.Manager.Tests;

/// <summary>Every error is a problem with a code, and leaves nothing behind.</summary>
public sealed class ErrorsTests : IAsyncLifetime
{
    private TestManager _manager = null!;

    public async Task InitializeAsync() => _manager = await TestManager.StartAsync("--KataContainerManager:MaxTotalContainers=2");

    public async Task DisposeAsync() => await _manager.DisposeAsync();

    [Theory]
    [InlineData("{", "body")]
    [InlineData("", null)]
    [InlineData("null", "body")]
    [InlineData("[]", "body")]
    [InlineData("7", "body")]
    [InlineData("{} {}", "body")]
    [InlineData("{\"labels\":{\"a\":\"\\ud800\"}}", "labels.a")]
    [InlineData("""{"waitForReady":"yes"}""", "waitForReady")]
    [InlineData("""{"WAITFORREADY":1}""", "WAITFORREADY")]
    [InlineData("""{"labels":[]}""", "labels")]
    [InlineData("""{"labels":{"a":1}}""", "labels.a")]
    [InlineData("""{"labels":{"a":null}}""", "labels.a")]
    [InlineData("""{"labels":{"app":"mine"}}""", "labels.app")]
    [InlineData("""{"environmentVariables":{"A-B":"x"}}""", "environmentVariables.A-B")]
    [InlineData("""{"command":"ls"}""", "command")]
    [InlineData("""{"command":["ls",1]}""", "command[1]")]
    [InlineData("""{"args":["x"]}""", "args")]
    [InlineData("""{"resources":{"requests":{"memoryMi":256},"limits":{"memoryMi":128}}}""", "resources.limits.memoryMi")]
    [InlineData("""{"resources":{"limits":{"memoryMi":"512"}}}""", "resources.limits.memoryMi")]
    [InlineData("""{"resources":{"limits":{"memoryMi":1.5}}}""", "resources.limits.memoryMi")]
    [InlineData("""{"resources":{"limits":{"memoryMi":1e99}}}""", "resources.limits.memoryMi")]
    [InlineData("""{"unknown":1,"Labels":{"team":"blue"}}""", null)]
    public async Task A_create_is_refused_by_field_or_accepted(string body, string? field)
    {
        using var response = await _manager.Http.PostAsync("/api/kata", Json.Body(body));
        if (field is null)
        {
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            return;
        }

        var problem = await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "invalid_request");
        problem.GetProperty("errors").EnumerateObject().Select(error => error.Name).ShouldBe([field]);
        problem.ToString().ShouldNotContain("System.");
        _manager.Backend.Specs.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""[]""", "body", "Must be an object.")]
    [InlineData("""{"waitForReady":"yes"}""", "waitForReady", "Must be true or false.")]
    [InlineData("""{"labels":[]}""", "labels", "Must be an object of strings.")]
    [InlineData("""{"labels":{"a.b/c":1}}""", "labels.a.b/c", "Must be a string, and valid Unicode.")]
    [InlineData("""{"labels":{"it's.b":1}}""", "labels.it's.b", "Must be a string, and valid Unicode.")]
    [InlineData("""{"command":"ls"}""", "command", "Must be an array of strings.")]
    [InlineData("""{"command":["ls",1]}""", "command[1]", "Must be a string, and valid Unicode.")]
    [InlineData("""{"resources":7}""", "resources", "Must be an object.")]
    [InlineData("""{"resources":{"LIMITS":{"memoryMi":"512"}}}""", "resources.LIMITS.memoryMi", "Must be a whole number of at most 2147483647.")]
    public async Task A_field_of_the_wrong_type_says_what_it_must_be(string body, string field, string expected)
    {
        using var response = await _manager.Http.PostAsync("/api/kata", Json.Body(body));

        var problem = await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "invalid_request");
        var error = problem.GetProperty("errors").EnumerateObject().ShouldHaveSingleItem();
        error.Name.ShouldBe(field);
        error.Value.EnumerateArray().Select(text => text.GetString()).ShouldBe([expected]);
    }

    [Fact]
    public async Task Quotes_in_a_problem_stay_quotes()
    {
        using var response = await _manager.Http.PostAsync("/api/kata", Json.Body("""{"labels":{"a b":"x"}}"""));
        (await response.Content.ReadAsStringAsync()).ShouldContain("'-', '_' and '.'");
    }

    [Fact]
    public async Task Who_comes_to_the_root_is_shown_the_reference()
    {
        using var response = await _manager.Http.GetAsync("/");
        (await response.ShouldBeProblemAsync(HttpStatusCode.NotFound, "not_found")).GetProperty("detail").GetString()!.ShouldContain("/scalar/v1");
    }

    [Fact]
    public async Task Every_wrong_field_is_named_at_once()
    {
        using var response = await _manager.Http.PostAsync("/api/kata", Json.Body(
            """{"labels":{"app":"x"},"environmentVariables":{"1":"x"},"args":["y"],"resources":{"limits":{"cpuMillicores":-5}}}"""));
        (await response.ShouldBeProblemAsync(HttpStatusCode.BadRequest, "invalid_request")).GetProperty("errors").EnumerateObject()
            .Select(error => error.Name).ShouldBe(["labels.app", "environmentVariables.1", "args", "resources.limits.cpuMillicores"]);
    }

    [Theory]
    [InlineData("/api/kata", false)]
    [InlineData("/api/kata", true)]
    [InlineData("/api/kata/NAME/execute", false)]
    [InlineData("/api/kata/NAME/execute", true)]
    public async Task Ten_megabytes_are_refused(string path, bool isChunked)
    {
        var name = await _manager.CreateAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, path.Replace("NAME", name, StringComparison.Ordinal))
        {
            Content = Json.Body($$"""{"command":"{{new string('x', 10 << 20)}}"}"""),
        };
        request.Headers.TransferEncodingChunked = isChunked;

        using var response = await _manager.Http.SendAsync(request);

        var problem = await response.ShouldBeProblemAsync(HttpStatusCode.RequestEntityTooLarge, "body_too_large");
        problem.GetProperty("detail").GetString()!.ShouldContain("1048576 bytes");
        _manager.Backend.Specs.Count.ShouldBe(1);
        _manager.Executor.HasCall.ShouldBeFalse();
    }

    [Fact]
    public async Task A_command_of_the_largest_size_passes_even_where_every_byte_is_escaped()
    {
        var name = await _manager.CreateAsync();
        var body = $$"""{"command":"{{string.Concat(Enumerable.Repeat("\\u0001", 131_071))}}"}""";
        var executing = _manager.Http.PostAsync($"/api/kata/{name}/execute", Json.Body(body));
        var call = await _manager.Executor.NextCallAsync();
        Encoding.UTF8.GetString(call.Body).ShouldBe(body);
        await call.AnswerAsync("200 OK", "text/event-stream", "");
        (await executing).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("GET", "/api/kata/kata-sandbox-00000000", "sandbox_not_found", 1)]
    [InlineData("DELETE", "/api/kata/kata-sandbox-00000000", "sandbox_not_found", 1)]
    [InlineData("POST", "/api/kata/kata-sandbox-00000000/execute", "sandbox_not_found", 1)]
    [InlineData("POST", "/api/kata/kata-sandbox-00000000/keepalive", "sandbox_not_found", 1)]
    [InlineData("GET", "/api/kata/nobody", "sandbox_not_found", 0)]
    [InlineData("GET", "/api/kata/pool", "sandbox_not_found", 0)]
    [InlineData("POST", "/api/kata/allocate/execute", "sandbox_not_found", 0)]
    [InlineData("DELETE", "/api/kata/..%2f..%2fetc", "sandbox_not_found", 0)]
    [InlineData("POST", "/api/kata/..%2f..%2fetc/execute", "sandbox_not_found", 0)]
    [InlineData("GET", "/api/kata/kata-sandbox-0000000g", "sandbox_not_found", 0)]
    [InlineData("GET", "/api/nothing", "not_found", 0)]
    [InlineData("GET", "/", "not_found", 0)]
    [InlineData("GET", "/api/kata/kata-sandbox-00000000/nothing", "not_found", 0)]
    public async Task What_does_not_exist_is_404_and_only_a_name_of_a_sandbox_reaches_the_backend(string method, string path, string code, int reads)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = method == "POST" ? Json.Body("""{"command":"true"}""") : null };
        using var response = await _manager.Http.SendAsync(request);

        var problem = await response.ShouldBeProblemAsync(HttpStatusCode.NotFound, code);
        _manager.Backend.Reads.ShouldBe(reads);
        if (method == "DELETE")
        {
            problem.GetProperty("success").GetBoolean().ShouldBeFalse();
            problem.GetProperty("message").GetString().ShouldNotBeNullOrEmpty();
            problem.GetProperty("podName").GetString().ShouldBe(path["/api/kata/".Length..]);
        }
    }

    [Theory]
    [InlineData("PUT", "/api/kata", "DELETE, GET, POST")]
    [InlineData("PATCH", "/api/kata/kata-sandbox-00000000", "DELETE, GET")]
    [InlineData("GET", "/api/kata/kata-sandbox-00000000/execute", "POST")]
    [InlineData("GET", "/api/kata/allocate", "POST")]
    [InlineData("DELETE", "/api/kata/allocate", "POST")]
    [InlineData("POST", "/api/kata/pool/status", "GET")]
    [InlineData("GET", "/api/kata/kata-sandbox-00000000/keepalive", "POST")]
    [InlineData("POST", "/healthz", "GET, HEAD")]
    public async Task A_method_that_a_route_does_not_take_is_405_and_it_is_said_which_it_takes(string method, string path, string allow)
    {
        using var response = await _manager.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        await response.ShouldBeProblemAsync(HttpStatusCode.MethodNotAllowed, "method_not_allowed");
        string.Join(", ", response.Content.Headers.Allow.Order(StringComparer.Ordinal)).ShouldBe(allow);
    }

    [Fact]
    public async Task At_the_limit_a_create_is_429()
    {
        await _manager.CreateAsync();
        await _manager.CreateAsync();

        using var response = await _manager.Http.PostAsync("/api/kata", null);

        await response.ShouldBeProblemAsync(HttpStatusCode.TooManyRequests, "limit_reached");
        response.Headers.RetryAfter.ShouldNotBeNull();
        _manager.Backend.Specs.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_sandbox_that_is_still_created_is_409_for_a_command()
    {
        _manager.Backend.IsReadyAtOnce = false;
        using var created = await _manager.Http.PostAsync("/api/kata", null);
        var name = _manager.Backend.Sandboxes.Single().Name;

        using var response = await _manager.Http.PostAsync($"/api/kata/{name}/execute", Json.Body("""{"command":"true"}"""));

        await response.ShouldBeProblemAsync(HttpStatusCode.Conflict, "sandbox_not_ready");
        response.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
        (await _manager.Http.GetStringAsync($"/api/kata/{name}")).ShouldContain("\"isReady\":false");
    }

    [Fact]
    public async Task A_backend_that_is_away_is_503_before_the_stream_begins()
    {
        _manager.Backend.Outage = "unplugged";
        using var response = await _manager.Http.PostAsync("/api/kata", Json.Body("""{"waitForReady":true}"""));
        await response.ShouldBeProblemAsync(HttpStatusCode.ServiceUnavailable, "backend_unavailable");
    }

    [Fact]
    public async Task A_defect_of_ours_is_500_and_says_nothing_of_itself()
    {
        _manager.Backend.BeforeCreate = _ => throw new InvalidOperationException("a secret detail");
        using var response = await _manager.Http.PostAsync("/api/kata", null);
        (await response.ShouldBeProblemAsync(HttpStatusCode.InternalServerError, "internal_error")).ToString().ShouldNotContain("secret");
        (await _manager.Http.GetStringAsync("/api/kata")).ShouldBe("[]");
    }

    [Fact]
    public async Task What_is_not_HTTP_is_refused_and_harms_nobody()
    {
        foreach (var lines in (string[][])[["GARBAGE"], ["GET / HTTP/1.1", "Host: a", "Host: b"], ["POST /api/kata HTTP/1.1", "Host: localhost", "Content-Length: -1"]])
            RawHttp.StatusOf(await RawHttp.AskAsync(_manager.Url, lines)).ShouldBe(400);
        (await _manager.Http.GetStringAsync("/healthz")).ShouldBe("Healthy");
        _manager.Services.GetRequiredService<SandboxRegistry>().All.ShouldBeEmpty();
    }
}
