using System.Net;
using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Manager.Tests;

/// <summary>The API document is complete, and the one in the repository is the one that is served.</summary>
public sealed class ApiDocumentTests : IAsyncLifetime
{
    private static readonly string Kept = Path.Combine(RepositoryRoot(), "docs", "openapi.json");

    private TestManager _manager = null!;
    private string _served = null!;

    public async Task InitializeAsync()
    {
        _manager = await TestManager.StartAsync();
        _served = await _manager.Http.GetStringAsync("/openapi/v1.json");
        if (Environment.GetEnvironmentVariable("UPDATE_OPENAPI") == "1") await File.WriteAllTextAsync(Kept, _served);
    }

    public async Task DisposeAsync() => await _manager.DisposeAsync();

    [Fact]
    public async Task What_is_served_is_what_the_repository_has_byte_for_byte() =>
        Encoding.UTF8.GetString(await File.ReadAllBytesAsync(Kept)).ShouldBe(_served, "docs/openapi.json is not what the Manager serves: run build/update-openapi.sh and look at the difference.");

    [Theory]
    [InlineData("/api/kata", "post", "400 401 403 413 415 429 500 503", "text/event-stream")]
    [InlineData("/api/kata", "get", "401 403 500 503", "application/json")]
    [InlineData("/api/kata", "delete", "401 403 500 503", "application/json")]
    [InlineData("/api/kata/{podName}", "get", "401 403 404 500 503", "application/json")]
    [InlineData("/api/kata/{podName}", "delete", "401 403 404 500 503", "application/json")]
    [InlineData("/api/kata/{id}/keepalive", "post", "400 401 403 404 409 413 415 500 503", "application/json")]
    [InlineData("/api/kata/allocate", "post", "400 401 403 409 413 415 429 500 502 503", "application/json")]
    [InlineData("/api/kata/pool/status", "get", "401 403 500 503", "application/json")]
    [InlineData("/api/kata/{id}/execute", "post", "400 401 403 404 409 413 415 422 500 502 503", "text/event-stream")]
    [InlineData("/api/kata/{id}/executions", "post", "400 401 403 404 409 410 413 415 422 429 500 502 503", "application/json", "201")]
    [InlineData("/api/kata/{id}/executions", "get", "401 403 404 409 500 502 503", "application/json")]
    [InlineData("/api/kata/{id}/executions/{eid}", "get", "401 403 404 409 410 500 502 503", "application/json")]
    [InlineData("/api/kata/{id}/executions/{eid}", "delete", "401 403 404 409 410 500 502 503", null, "204")]
    [InlineData("/api/kata/{id}/executions/{eid}/events", "get", "400 401 403 404 409 410 500 502 503", "application/vnd.codesandbox.frames")]
    [InlineData("/api/kata/{id}/executions/{eid}/stdin", "post", "400 401 403 404 409 410 500 502 503", "application/json")]
    [InlineData("/api/kata/{id}/executions/{eid}/stdin", "delete", "401 403 404 409 410 500 502 503", null, "204")]
    [InlineData("/api/kata/{id}/executions/{eid}/signal", "post", "400 401 403 404 409 410 413 415 500 502 503", null, "204")]
    [InlineData("/api/kata/{id}/executions/{eid}/resize", "post", "400 401 403 404 409 410 413 415 500 502 503", null, "204")]
    [InlineData("/api/kata/{id}/terminal", "get", "400 401 403 404 409 410 422 429 500 502 503", null, "101")]
    [InlineData("/api/kata/{id}/files", "get", "400 401 403 404 409 412 416 500 502 503", "application/octet-stream")]
    [InlineData("/api/kata/{id}/files", "head", "400 401 403 404 409 500 502 503", null)]
    [InlineData("/api/kata/{id}/files", "put", "400 401 403 404 409 412 500 502 503 507", null, "204")]
    [InlineData("/api/kata/{id}/files", "delete", "400 401 403 404 409 500 502 503", null, "204")]
    [InlineData("/api/kata/{id}/files/list", "get", "400 401 403 404 409 500 502 503", "application/json")]
    [InlineData("/api/kata/{id}/files/move", "post", "400 401 403 404 409 413 415 500 502 503 507", null, "204")]
    [InlineData("/api/kata/{id}/files/directory", "post", "400 401 403 404 409 413 415 500 502 503 507", null, "204")]
    [InlineData("/api/kata/{id}/files/watch", "get", "400 401 403 404 409 429 500 502 503", "text/event-stream")]
    [InlineData("/healthz", "get", "", "text/plain")]
    [InlineData("/livez", "get", "", "text/plain")]
    public void A_route_says_what_it_is_what_it_answers_and_how_it_fails(string path, string method, string problems, string? type, string success = "200")
    {
        var operation = Operation(path, method);

        operation.GetProperty("summary").GetString().ShouldNotBeNullOrEmpty();
        operation.GetProperty("operationId").GetString().ShouldNotBeNullOrEmpty();
        var responses = operation.GetProperty("responses");
        if (type is null) responses.GetProperty(success).TryGetProperty("content", out _).ShouldBeFalse();
        else responses.GetProperty(success).GetProperty("content").GetProperty(type).GetProperty("schema").EnumerateObject().ShouldNotBeEmpty();
        responses.EnumerateObject()
            .Where(response => response.Value.TryGetProperty("content", out var content) && content.TryGetProperty("application/problem+json", out _))
            .Select(response => response.Name).Order().ShouldBe(problems.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void Every_route_of_the_document_is_tested_above_and_nothing_is_missing()
    {
        var tested = GetType().GetMethod(nameof(A_route_says_what_it_is_what_it_answers_and_how_it_fails))!.GetCustomAttributes(typeof(InlineDataAttribute), false)
            .SelectMany(row => ((InlineDataAttribute)row).GetData(null!)).Select(row => $"{row[1]} {row[0]}").ToList();
        tested.Count.ShouldBe(29);
        JsonDocument.Parse(_served).RootElement.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Where(method => method.Name is "get" or "head" or "post" or "delete" or "put" or "patch").Select(method => $"{method.Name} {path.Name}"))
            .ShouldBe(tested, ignoreOrder: true);
    }

    [Theory]
    [InlineData("CreationEvent", "created waiting healthcheck ready failed")]
    [InlineData("ExecutionEvent", "OutputEvent CompletedEvent")]
    public void The_events_of_a_stream_are_all_described(string union, string kinds) =>
        JsonDocument.Parse(_served).RootElement.GetProperty("components").GetProperty("schemas").GetProperty(union)
            .GetProperty("discriminator").GetProperty("mapping").EnumerateObject().Select(kind => kind.Name)
            .ShouldBe(kinds.Split(' '), ignoreOrder: true);

    [Fact]
    public void The_key_is_described_in_both_forms() =>
        JsonDocument.Parse(_served).RootElement.GetProperty("components").GetProperty("securitySchemes").EnumerateObject()
            .Select(scheme => scheme.Name).ShouldBe(["ApiKey", "Bearer"]);

    [Theory]
    [InlineData("/livez")]
    [InlineData("/healthz")]
    public void What_watches_the_process_needs_no_key(string path) =>
        Operation(path, "get").GetProperty("security").GetArrayLength().ShouldBe(0);

    [Fact]
    public async Task The_example_of_a_create_is_accepted()
    {
        using var response = await _manager.Http.PostAsync("/api/kata", Json.Body(ExampleOf(Operation("/api/kata", "post").GetProperty("requestBody"))));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task The_examples_of_a_claim_and_of_keepalive_are_accepted()
    {
        using var claimed = await _manager.Http.PostAsync("/api/kata/allocate", Json.Body(ExampleOf(Operation("/api/kata/allocate", "post").GetProperty("requestBody"))));
        claimed.StatusCode.ShouldBe(HttpStatusCode.OK);
        var name = _manager.Backend.Sandboxes.Single().Name;
        using var kept = await _manager.Http.PostAsync($"/api/kata/{name}/keepalive", Json.Body(ExampleOf(Operation("/api/kata/{id}/keepalive", "post").GetProperty("requestBody"))));
        kept.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public void The_example_of_an_execute_is_a_command() =>
        JsonSerializer.Deserialize(ExampleOf(Operation("/api/kata/{id}/execute", "post").GetProperty("requestBody")), ContractsJsonContext.Default.ExecuteRequest)
            .ShouldBe(new ExecuteRequest { Command = "echo hello", TimeoutSeconds = 60 });

    [Fact]
    public void Each_stream_has_an_example_of_an_event()
    {
        JsonSerializer.Deserialize(ExampleOf(Operation("/api/kata", "post").GetProperty("responses").GetProperty("200")), ContractsJsonContext.Default.CreationEvent)
            .ShouldBeOfType<SandboxCreated>();
        JsonSerializer.Deserialize(ExampleOf(Operation("/api/kata/{id}/execute", "post").GetProperty("responses").GetProperty("200")), ContractsJsonContext.Default.ExecutionEvent)
            .ShouldBeOfType<OutputEvent>();
    }

    [Fact]
    public void A_command_is_required_and_its_time_has_bounds()
    {
        var schema = Schema("ExecuteRequest");
        schema.GetProperty("required").EnumerateArray().Select(name => name.GetString()).ShouldBe(["command"]);
        schema.GetProperty("properties").GetProperty("command").GetProperty("type").GetString().ShouldBe("string");
        var timeout = schema.GetProperty("properties").GetProperty("timeoutSeconds");
        string[] bounds = ["default", "minimum", "maximum"];
        bounds.Select(bound => timeout.GetProperty(bound).GetInt32()).ShouldBe([300, 1, 86_400]);
    }

    [Fact]
    public void A_claim_needs_a_user_and_its_fields_have_bounds()
    {
        var schema = Schema("AllocateRequest");
        schema.GetProperty("required").EnumerateArray().Select(name => name.GetString()).ShouldBe(["userId"]);
        var fields = schema.GetProperty("properties");
        foreach (var id in (string[])["userId", "claimId"])
            (fields.GetProperty(id).GetProperty("minLength").GetInt32(), fields.GetProperty(id).GetProperty("maxLength").GetInt32()).ShouldBe((1, 256));
        (fields.GetProperty("waitSeconds").GetProperty("minimum").GetInt32(), fields.GetProperty("waitSeconds").GetProperty("maximum").GetInt32()).ShouldBe((0, 300));
        fields.GetProperty("timeoutSeconds").GetProperty("minimum").GetInt32().ShouldBe(1);
        var seconds = Schema("KeepAliveRequest").GetProperty("properties").GetProperty("seconds");
        (seconds.GetProperty("minimum").GetInt32(), seconds.GetProperty("maximum").GetInt32()).ShouldBe((0, 86_400));
    }

    [Fact]
    public void A_problem_says_what_it_always_has_and_which_codes_there_are()
    {
        var schema = Schema("Problem");
        schema.GetProperty("required").EnumerateArray().Select(name => name.GetString()).ShouldBe(["code", "status", "title", "detail"], ignoreOrder: true);
        var code = schema.GetProperty("properties").GetProperty("code");
        code.GetProperty("type").GetString().ShouldBe("string");
        var codes = code.GetProperty("enum").EnumerateArray().Select(value => value.GetString()).ToList();
        codes.ShouldBeUnique();
        foreach (var one in (string[])["invalid_request", "sandbox_not_found", "limit_reached", "stopping"]) codes.ShouldContain(one);
    }

    private static string ExampleOf(JsonElement described) =>
        described.GetProperty("content").EnumerateObject().First().Value.GetProperty("example").GetRawText();

    private JsonElement Operation(string path, string method) =>
        JsonDocument.Parse(_served).RootElement.GetProperty("paths").GetProperty(path).GetProperty(method);

    private JsonElement Schema(string name) =>
        JsonDocument.Parse(_served).RootElement.GetProperty("components").GetProperty("schemas").GetProperty(name);

    private static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "DonkeyWork.CodeSandbox.slnx"))) directory = directory.Parent!;
        return directory.FullName;
    }
}
