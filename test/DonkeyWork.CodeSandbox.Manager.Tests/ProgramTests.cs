using System.Diagnostics;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace DonkeyWork.CodeSandbox.Manager.Tests;

/// <summary>The program itself, as a process.</summary>
public sealed class ProgramTests
{
    [Fact]
    public async Task An_unusable_configuration_ends_it_with_readable_lines_and_exit_code_1()
    {
        var (exitCode, output, error) = await RunAsync(
            ["--KataContainerManager:WarmPoolSize=500", "--urls=http://0.0.0.0:0"], ("KataContainerManager__MaxTotalContainers", "0"), ("KataContainerManager__WarmPoolSize", "1"));

        exitCode.ShouldBe(1);
        output.ShouldBeEmpty();
        error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Trim().Split(": ")[0])
            .ShouldBe(["The configuration is unusable:", "KataContainerManager:WarmPoolSize", "KataContainerManager:MaxTotalContainers", "urls"], ignoreOrder: true);
        error.ShouldContain("500", customMessage: "The command line overrides the environment.");
        error.ShouldNotContain("   at ");
    }

    [Theory]
    [InlineData("")]
    [InlineData("short-and-never-printed")]
    public async Task Kubernetes_without_a_usable_secret_ends_it_and_says_how_to_make_one(string secret)
    {
        var (exitCode, output, error) = await RunAsync(["--KataContainerManager:Backend=Kubernetes"], ("KataContainerManager__Secret", secret));

        exitCode.ShouldBe(1);
        error.ShouldContain("KataContainerManager:Secret: ");
        error.ShouldContain("openssl rand -hex 32");
        error.ShouldContain("kata-manager");
        (output + error).ShouldNotContain("never-printed");
        error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(2);
    }

    [Theory]
    [InlineData(null, "No Kubernetes cluster is configured")]
    [InlineData("/no/such/kubeconfig", "/no/such/kubeconfig")]
    public async Task Kubernetes_without_a_cluster_ends_it_and_says_what_to_do(string? kubeconfig, string expected)
    {
        string[] settings = ["--KataContainerManager:Backend=Kubernetes", .. kubeconfig is null ? [] : (string[])[$"--KataContainerManager:Connection:Kubeconfig={kubeconfig}"]];

        var (exitCode, output, error) = await RunAsync(settings, ("KataContainerManager__Secret", new string('s', 32)), ("HOME", "/no/such/home"), ("KUBECONFIG", ""));

        exitCode.ShouldBe(1);
        output.ShouldBeEmpty();
        error.ShouldContain(expected);
        error.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task An_api_server_that_is_not_there_does_not_keep_it_from_starting()
    {
        await using var manager = ManagerApplication.Build([
            "--urls=http://127.0.0.1:0", "--Serilog:MinimumLevel:Default=Fatal", "--Serilog:MinimumLevel:Override:Microsoft.Hosting.Lifetime=Fatal",
            "--KataContainerManager:Backend=Kubernetes", $"--KataContainerManager:Secret={new string('s', 32)}",
            "--KataContainerManager:Connection:ServerUrl=http://127.0.0.1:1", "--KataContainerManager:Connection:Token=t"]);
        await manager.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(manager.Urls.First()) };

        (await http.GetAsync(new Uri("livez", UriKind.Relative))).StatusCode.ShouldBe(System.Net.HttpStatusCode.OK);
        (await http.GetAsync(new Uri("healthz", UriKind.Relative))).StatusCode.ShouldBe(System.Net.HttpStatusCode.ServiceUnavailable);

        await manager.StopAsync();
    }

    [Fact]
    public async Task Help_is_printed_without_starting_anything()
    {
        var (exitCode, output, error) = await RunAsync(["--help"]);
        exitCode.ShouldBe(0);
        output.ShouldContain("Usage:");
        output.ShouldContain("MaxTotalContainers");
        error.ShouldBeEmpty();
    }

    [Fact]
    public void When_nobody_says_where_it_listens_on_port_8668_of_this_machine()
    {
        ManagerApplication.Build([], Register).Configuration["urls"].ShouldBe("http://127.0.0.1:8668");
        ManagerApplication.Build(["--urls=http://localhost:1"], Register).Configuration["urls"].ShouldBe("http://localhost:1");

        static void Register(Microsoft.AspNetCore.Builder.WebApplicationBuilder builder)
        {
            builder.Services.AddSingleton<ISandboxBackend, InMemoryBackend>();
            builder.Services.AddSingleton(new SandboxTokens([1]));
        }
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "codesandbox-manager")) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment) start.Environment[name] = value;

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(Patience.Limit);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }

        return (process.ExitCode, await output, await error);
    }
}
