using DonkeyWork.CodeSandbox.Client.Tests.Wire;

namespace DonkeyWork.CodeSandbox.Client.Tests;

public sealed class ClientTests
{
    private const string Name = FakeManager.Name;

    [Fact]
    public async Task Sandboxes_are_listed_found_and_deleted()
    {
        await using var manager = await FakeManager.StartAsync();
        await using var client = new CodeSandboxClient(manager.Address);
        manager.Sandboxes[Name] = true;
        manager.Sandboxes["kata-sandbox-00000001"] = true;

        (await client.ListAsync().OrFail()).Select(s => s.Name).Order().ShouldBe(["kata-sandbox-00000001", Name]);
        (await client.GetAsync(Name).OrFail()).IsReady.ShouldBeTrue();
        (await client.DeleteAsync(Name).OrFail()).PodName.ShouldBe(Name);
        manager.Sandboxes.Keys.ShouldBe(["kata-sandbox-00000001"]);
        (await client.DeleteAllAsync().OrFail()).DeletedPods.ShouldBe(["kata-sandbox-00000001"]);
        manager.Sandboxes.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_handle_by_name_works_and_leaves_the_sandbox_alone()
    {
        await using var manager = await FakeManager.StartAsync();
        await using var client = new CodeSandboxClient(manager.Address);
        manager.Sandboxes[Name] = true;

        await using (var sandbox = client.Attach(Name))
        {
            (await sandbox.RunAsync("x").OrFail()).ExitCode.ShouldBe(0);
            (await sandbox.GetInfoAsync().OrFail()).Name.ShouldBe(Name);
        }

        manager.Sandboxes.ShouldNotBeEmpty();
        await client.Attach(Name).DeleteAsync().OrFail();
        manager.Sandboxes.ShouldBeEmpty();
        await Should.ThrowAsync<SandboxNotFoundException>(client.Attach(Name).DeleteAsync().OrFail());
    }

    [Fact]
    public async Task A_deleted_sandbox_is_not_deleted_again_by_disposing()
    {
        await using var manager = await FakeManager.StartAsync();
        await using var client = new CodeSandboxClient(manager.Address);

        await using (var sandbox = await client.CreateAsync().OrFail())
            await sandbox.DeleteAsync().OrFail();

        manager.Asked($"DELETE /api/kata/{Name}").ShouldBe(1);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../kata")]
    [InlineData("a/b")]
    [InlineData("a?b")]
    [InlineData("a%2fb")]
    [InlineData("a\n")]
    [InlineData("Ä")]
    public async Task A_name_that_is_none_never_becomes_a_request(string name)
    {
        await using var manager = await FakeManager.StartAsync();
        await using var client = new CodeSandboxClient(manager.Address);
        manager.Sandboxes[Name] = true;

        await Should.ThrowAsync<ArgumentException>(async () => await client.DeleteAsync(name));
        await Should.ThrowAsync<ArgumentException>(async () => await client.GetAsync(name));
        Should.Throw<ArgumentException>(() => client.Attach(name));

        manager.Server.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/sandboxes")]
    [InlineData("/sandboxes/")]
    public async Task A_path_in_the_address_is_kept_as_a_prefix(string prefix)
    {
        await using var server = await WireServer.StartAsync(context => Sse.ProblemAsync(context, 404, "not_found"));
        await using var client = new CodeSandboxClient(new Uri(server.Address, prefix));

        await Should.ThrowAsync<CodeSandboxException>(client.GetAsync(Name).OrFail());

        server.Requests.Single().Line.ShouldBe($"GET /sandboxes/api/kata/{Name}");
    }

    [Fact]
    public async Task An_HttpClient_of_the_callers_is_used_and_not_disposed()
    {
        await using var manager = await FakeManager.StartAsync();
        using var http = new HttpClient { DefaultRequestVersion = new Version(2, 0) };
        http.DefaultRequestHeaders.Add("X-Trace", "7");

        await using (var client = new CodeSandboxClient(manager.Address, http))
        await using (var sandbox = await client.CreateAsync().OrFail())
            (await sandbox.RunAsync("x").OrFail()).ExitCode.ShouldBe(0);

        (await http.GetStringAsync(new Uri(manager.Address, "api/kata")).OrFail()).ShouldBe("[]");
        var ours = manager.Server.Requests.SkipLast(1).ToList();
        ours.ShouldAllBe(r => r.Headers["X-Trace"] == "7" && r.Protocol == "HTTP/1.1");
    }

    [Fact]
    public async Task A_handler_of_the_callers_is_used_and_not_disposed()
    {
        await using var manager = await FakeManager.StartAsync();
        using var handler = new SocketsHttpHandler();

        for (var i = 0; i < 2; i++)
        {
            await using var client = new CodeSandboxClient(manager.Address, handler);
            (await client.ListAsync().OrFail()).ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task A_timeout_of_the_callers_HttpClient_is_told_as_one()
    {
        await using var server = await WireServer.StartAsync(Sse.GoneAsync);
        using var http = new HttpClient { Timeout = TimeSpan.FromMilliseconds(50) };
        await using var client = new CodeSandboxClient(server.Address, http);

        var e = await Should.ThrowAsync<CodeSandboxException>(client.ListAsync().OrFail());

        e.Code.ShouldBe(ClientErrorCodes.RequestTimeout);
    }

    [Theory]
    [InlineData("ftp://host/")]
    [InlineData("api/kata")]
    public void An_address_that_is_not_http_is_refused(string address) =>
        Should.Throw<ArgumentException>(() => new CodeSandboxClient(new Uri(address, UriKind.RelativeOrAbsolute)).Dispose());

    [Fact]
    public void Options_do_not_print_their_secrets()
    {
        new CodeSandboxClientOptions { ApiKey = "s3cret" }.ToString().ShouldNotContain("s3cret");
        new ExecutorClientOptions { Token = "s3cret" }.ToString().ShouldNotContain("s3cret");
    }
}
