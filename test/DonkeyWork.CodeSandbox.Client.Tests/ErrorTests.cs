using System.Net;
using System.Net.Sockets;
using DonkeyWork.CodeSandbox.Client.Tests.Wire;
using DonkeyWork.CodeSandbox.Contracts;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Client.Tests;

/// <summary>Whatever a server answers, the caller gets a typed error and the connection ends.</summary>
public sealed class ErrorTests
{
    private const string Name = FakeManager.Name;

    [Fact]
    public async Task Wrong_fields_are_named()
    {
        await using var server = await WireServer.StartAsync(context =>
            Sse.ProblemAsync(context, 400, "invalid_request", ",\"errors\":{\"labels\":[\"Reserved.\",\"Too long.\"]},\"traceId\":\"x\""));
        await using var client = new CodeSandboxClient(server.Address);

        var e = await Should.ThrowAsync<InvalidRequestException>(client.CreateAsync().OrFail());

        e.Errors["labels"].ShouldBe(["Reserved.", "Too long."]);
        e.Message.ShouldBe("What happened.");
        e.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        e.Problem!.Title.ShouldBe("T");
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_reached_limit_says_when_to_try_again()
    {
        await using var server = await WireServer.StartAsync(context =>
        {
            context.Response.Headers.RetryAfter = "12";
            return Sse.ProblemAsync(context, 429, "limit_reached");
        });
        await using var client = new CodeSandboxClient(server.Address);

        var e = await Should.ThrowAsync<LimitReachedException>(client.CreateAsync().OrFail());

        e.RetryAfter.ShouldBe(TimeSpan.FromSeconds(12));
        e.Code.ShouldBe(ErrorCodes.LimitReached);
    }

    [Fact]
    public async Task A_date_to_try_again_is_a_time_from_now()
    {
        var time = new ManualTime();
        await using var server = await WireServer.StartAsync(context =>
        {
            context.Response.Headers.RetryAfter = time.GetUtcNow().AddSeconds(90).ToString("R");
            return Sse.ProblemAsync(context, 409, "sandbox_not_ready");
        });
        await using var client = new CodeSandboxClient(server.Address, new CodeSandboxClientOptions { TimeProvider = time });

        var e = await Should.ThrowAsync<SandboxNotReadyException>(client.Attach(Name).RunAsync("x").OrFail());

        e.RetryAfter.ShouldBe(TimeSpan.FromSeconds(90));
    }

    [Theory]
    [InlineData(401, "unauthorized")]
    [InlineData(413, "command_too_long")]
    [InlineData(422, "start_failed")]
    [InlineData(502, "executor_unreachable")]
    [InlineData(418, "a_code_of_next_year")]
    public async Task Every_code_reaches_the_caller(int status, string code)
    {
        await using var server = await WireServer.StartAsync(context => Sse.ProblemAsync(context, status, code));
        await using var client = new CodeSandboxClient(server.Address);

        var run = await Should.ThrowAsync<CodeSandboxException>(client.Attach(Name).RunAsync("x").OrFail());
        var get = await Should.ThrowAsync<CodeSandboxException>(client.GetAsync(Name).OrFail());

        (run.Code, get.Code).ShouldBe((code, code));
        ((int)run.StatusCode!).ShouldBe(status);
        run.Message.ShouldBe("What happened.");
    }

    [Fact]
    public async Task An_unknown_sandbox_is_told_as_one_by_every_call()
    {
        await using var manager = await FakeManager.StartAsync();
        await using var client = new CodeSandboxClient(manager.Address);

        await Should.ThrowAsync<SandboxNotFoundException>(client.GetAsync(Name).OrFail());
        await Should.ThrowAsync<SandboxNotFoundException>(client.DeleteAsync(Name).OrFail());
        await Should.ThrowAsync<SandboxNotFoundException>(client.Attach(Name).RunAsync("x").OrFail());
        await Should.ThrowAsync<SandboxNotFoundException>(client.Attach(Name).GetInfoAsync().OrFail());
    }

    [Theory]
    [InlineData(502, "text/html", "<html>\r\n<h1>502 Bad Gateway</h1>\n</html>")]
    [InlineData(500, "application/json", "{\"error\":\"x\"}")]
    [InlineData(503, "application/problem+json", "{\"title\":\"cut")]
    [InlineData(503, "application/problem+json", "[]")]
    [InlineData(200, "text/html", "<h1>Log in first</h1>")]
    [InlineData(200, "application/json", "{\"success\":\"maybe\"}")]
    [InlineData(200, "application/json", "null")]
    [InlineData(204, null, "")]
    public async Task What_is_not_of_the_protocol_is_an_unexpected_response(int status, string? type, string body)
    {
        await using var server = await WireServer.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            if (type is null)
                return Task.CompletedTask;
            context.Response.ContentType = type;
            return context.Response.WriteAsync(body);
        });
        await using var client = new CodeSandboxClient(server.Address);

        var get = await Should.ThrowAsync<CodeSandboxException>(client.GetAsync(Name).OrFail());
        var run = await Should.ThrowAsync<CodeSandboxException>(client.Attach(Name).RunAsync("x").OrFail());
        var create = await Should.ThrowAsync<CodeSandboxException>(client.CreateAsync().OrFail());

        (get.Code, run.Code, create.Code).ShouldBe(
            (ClientErrorCodes.UnexpectedResponse, ClientErrorCodes.UnexpectedResponse, ClientErrorCodes.UnexpectedResponse));
        ((int)run.StatusCode!).ShouldBe(status);
        ((int)create.StatusCode!).ShouldBe(status);
    }

    [Fact]
    public async Task A_proxys_page_is_quoted_in_brief()
    {
        await using var server = await WireServer.StartAsync(async context =>
        {
            context.Response.StatusCode = 502;
            context.Response.ContentType = "text/html";
            await context.Response.WriteAsync("<h1>502 Bad\r\n Gateway</h1>" + new string('x', 1_000_000));
        });
        await using var client = new CodeSandboxClient(server.Address);

        var e = await Should.ThrowAsync<CodeSandboxException>(client.ListAsync().OrFail());

        e.Message.ShouldStartWith("The answer is not of this protocol: 502 Bad Gateway, text/html: <h1>502 Bad Gateway</h1>xxx");
        e.Message.Length.ShouldBeLessThan(400);
    }

    [Theory]
    [InlineData(301)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_redirect_is_not_followed(int status)
    {
        await using var elsewhere = await WireServer.StartAsync(context => Sse.AnswerAsync(context, Sse.Completed()));
        await using var server = await WireServer.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = new Uri(elsewhere.Address, context.Request.Path).ToString();
            return Task.CompletedTask;
        });
        await using var client = new CodeSandboxClient(server.Address, new CodeSandboxClientOptions { ApiKey = "s3cret" });

        var e = await Should.ThrowAsync<CodeSandboxException>(client.Attach(Name).RunAsync("x").OrFail());
        await Should.ThrowAsync<CodeSandboxException>(client.ListAsync().OrFail());

        e.Code.ShouldBe(ClientErrorCodes.UnexpectedResponse);
        e.Message.ShouldContain(elsewhere.Address.ToString());
        elsewhere.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_redirect_that_the_callers_handler_follows_does_not_carry_the_key()
    {
        await using var elsewhere = await WireServer.StartAsync(context => Sse.ProblemAsync(context, 401, "unauthorized"));
        await using var server = await WireServer.StartAsync(context =>
        {
            context.Response.Redirect(new Uri(elsewhere.Address, context.Request.Path).ToString());
            return Task.CompletedTask;
        });
        using var http = new HttpClient();
        await using var client = new CodeSandboxClient(server.Address, http, new CodeSandboxClientOptions { ApiKey = "s3cret" });

        await Should.ThrowAsync<CodeSandboxException>(client.ListAsync().OrFail());

        server.Requests.Single().Headers["Authorization"].ShouldBe("Bearer s3cret");
        elsewhere.Requests.Single().Headers.Values.ShouldNotContain(v => v.Contains("s3cret"));
    }

    [Fact]
    public async Task Nobody_listening_is_unreachable()
    {
        // The port is taken, so that nobody else listens there meanwhile, and does not listen.
        using var deaf = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        deaf.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using var client = new CodeSandboxClient(new Uri($"http://{deaf.LocalEndPoint}"));

        var list = await Should.ThrowAsync<CodeSandboxException>(client.ListAsync().OrFail());
        var create = await Should.ThrowAsync<CodeSandboxException>(client.CreateAsync().OrFail());
        var run = await Should.ThrowAsync<CodeSandboxException>(client.Attach(Name).RunAsync("x").OrFail());

        (list.Code, create.Code, run.Code).ShouldBe(
            (ClientErrorCodes.Unreachable, ClientErrorCodes.Unreachable, ClientErrorCodes.Unreachable));
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_interrupted()
    {
        await using var server = await WireServer.StartAsync(async context =>
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("[{\"name\":");
            await context.Response.Body.FlushAsync();
            context.Abort();
        });
        await using var client = new CodeSandboxClient(server.Address);

        (await Should.ThrowAsync<InterruptedException>(client.ListAsync().OrFail())).Code.ShouldBe(ClientErrorCodes.ResponseCut);
    }

    [Fact]
    public async Task Json_without_end_is_not_read_to_the_end()
    {
        await using var server = await WireServer.StartAsync(async context =>
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("[");
            for (var i = 0; i < 65; i++)
                await context.Response.WriteAsync(new string(' ', 1024 * 1024), context.RequestAborted);
            await context.Response.WriteAsync("]");
        });
        await using var client = new CodeSandboxClient(server.Address);

        (await Should.ThrowAsync<CodeSandboxException>(client.ListAsync().OrFail())).Code.ShouldBe(ClientErrorCodes.UnexpectedResponse);
    }
}
