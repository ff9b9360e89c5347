using System.Net;
using System.Text;
using System.Text.Json;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>Nonsense is answered with a code, and nothing is left of it.</summary>
[Collection(SharedManagerCollection.Name)]
public sealed class BadInputTests(SharedManager shared) : IAsyncLifetime
{
    private IEnumerable<string> Directories => Directory.EnumerateDirectories(Path.Combine(shared.Manager.StateDirectory, "sandboxes"));

    // What the classes before have deleted may still be on its way out.
    public Task InitializeAsync() => Patience.UntilAsync(() => !Directories.Any(), () => $"{string.Join(' ', Directories)} stay.");

    public Task DisposeAsync() => Task.CompletedTask;

    public static TheoryData<string, HttpStatusCode, string> Creates => new()
    {
        { "{", HttpStatusCode.BadRequest, "invalid_request" },
        { "[]", HttpStatusCode.BadRequest, "invalid_request" },
        { """{"waitForReady":"yes"}""", HttpStatusCode.BadRequest, "invalid_request" },
        { """{"labels":{"a":1}}""", HttpStatusCode.BadRequest, "invalid_request" },
        { """{"labels":{"app":"mine"}}""", HttpStatusCode.BadRequest, "invalid_request" },
        { """{"labels":{"codesandbox.donkeywork.dev/nonce":"x"}}""", HttpStatusCode.BadRequest, "invalid_request" },
        { """{"labels":{"a b":"x"}}""", HttpStatusCode.BadRequest, "invalid_request" },
        { """{"environmentVariables":{"A-B":"x"}}""", HttpStatusCode.BadRequest, "invalid_request" },
        { """{"args":["x"]}""", HttpStatusCode.BadRequest, "invalid_request" },
        { """{"resources":{"requests":{"memoryMi":256},"limits":{"memoryMi":128}}}""", HttpStatusCode.BadRequest, "invalid_request" },
        { """{"resources":{"limits":{"memoryMi":1000000}}}""", HttpStatusCode.BadRequest, "invalid_request" },
        { """{"resources":{"limits":{"memoryMi":-1}}}""", HttpStatusCode.BadRequest, "invalid_request" },
        { """{"resources":{"limits":{"memoryMi":1e99}}}""", HttpStatusCode.BadRequest, "invalid_request" },
    };

    [Theory]
    [MemberData(nameof(Creates))]
    public async Task A_bad_create_is_refused_with_a_code_and_makes_nothing(string body, HttpStatusCode status, string code)
    {
        using var response = await Post("/api/kata", body);
        await ShouldBeProblem(response, status, code);
        await NoSandbox();
    }

    [Fact]
    public async Task Every_wrong_field_is_named_at_once()
    {
        using var response = await Post("/api/kata", """{"labels":{"app":"x"},"environmentVariables":{"1":"x"},"args":["y"],"resources":{"limits":{"cpuMillicores":-5}}}""");
        var errors = (await ShouldBeProblem(response, HttpStatusCode.BadRequest, "invalid_request")).GetProperty("errors");
        errors.EnumerateObject().Count().ShouldBeGreaterThanOrEqualTo(4, errors.ToString());
    }

    [Fact]
    public async Task Ten_megabytes_are_refused()
    {
        using var response = await Post("/api/kata", $$$"""{"environmentVariables":{"A":"{{{new string('x', 10 << 20)}}}"}}""");
        await ShouldBeProblem(response, HttpStatusCode.RequestEntityTooLarge, "body_too_large");
        await NoSandbox();
    }

    [Theory]
    [InlineData("POST", "/api/kata/kata-sandbox-00000000/execute", "sandbox_not_found")]
    [InlineData("POST", "/api/kata/..%2f..%2fetc/execute", "sandbox_not_found")]
    [InlineData("GET", "/api/kata/kata-sandbox-00000000", "sandbox_not_found")]
    [InlineData("GET", "/api/kata/nobody", "sandbox_not_found")]
    [InlineData("DELETE", "/api/kata/kata-sandbox-00000000", "sandbox_not_found")]
    [InlineData("GET", "/api/nothing", "not_found")]
    public async Task What_does_not_exist_is_404(string method, string path, string code)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path)
        {
            Content = method == "POST" ? new StringContent("""{"command":"true"}""", Encoding.UTF8, "application/json") : null,
        };
        using var response = await shared.Manager.Http.SendAsync(request);
        await ShouldBeProblem(response, HttpStatusCode.NotFound, code);
    }

    [Theory]
    [InlineData("{", HttpStatusCode.BadRequest, "invalid_request")]
    [InlineData("""{"command":7}""", HttpStatusCode.BadRequest, "invalid_request")]
    [InlineData("{}", HttpStatusCode.BadRequest, "invalid_request")]
    [InlineData("""{"command":"true","timeoutSeconds":0}""", HttpStatusCode.BadRequest, "invalid_request")]
    [InlineData("""{"command":"true","timeoutSeconds":86401}""", HttpStatusCode.BadRequest, "invalid_request")]
    [InlineData("""{"command":"a\u0000b"}""", HttpStatusCode.BadRequest, "invalid_request")]
    [InlineData("""{"command":"true","environment":{"A=B":"x"}}""", HttpStatusCode.BadRequest, "invalid_request")]
    [InlineData("""{"command":"true","workingDirectory":"/nowhere"}""", HttpStatusCode.UnprocessableEntity, "start_failed")]
    public async Task A_bad_execute_is_refused_with_a_code(string body, HttpStatusCode status, string code)
    {
        await using var sandbox = await shared.Client.CreateAsync();
        using var response = await Post($"/api/kata/{sandbox.Name}/execute", body);
        await ShouldBeProblem(response, status, code);
        HostProcesses.CommandsOf(sandbox.Name).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_command_that_does_not_fit_one_argument_is_413()
    {
        await using var sandbox = await shared.Client.CreateAsync();
        using var fits = await Post($"/api/kata/{sandbox.Name}/execute", $$"""{"command":"#{{new string('x', 131_070)}}"}""");
        fits.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var tooLong = await Post($"/api/kata/{sandbox.Name}/execute", $$"""{"command":"#{{new string('x', 131_071)}}"}""");
        await ShouldBeProblem(tooLong, HttpStatusCode.RequestEntityTooLarge, "command_too_long");
    }

    private async Task<HttpResponseMessage> Post(string path, string body) =>
        await shared.Manager.Http.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));

    private static async Task<JsonElement> ShouldBeProblem(HttpResponseMessage response, HttpStatusCode status, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(status, text);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var problem = JsonDocument.Parse(text).RootElement;
        problem.GetProperty("code").GetString().ShouldBe(code, text);
        problem.GetProperty("status").GetInt32().ShouldBe((int)status);
        problem.GetProperty("detail").GetString().ShouldNotBeNullOrWhiteSpace();
        return problem;
    }

    private async Task NoSandbox()
    {
        (await shared.Manager.Http.GetStringAsync("/api/kata")).ShouldBe("[]");
        Directories.ShouldBeEmpty();
    }
}
