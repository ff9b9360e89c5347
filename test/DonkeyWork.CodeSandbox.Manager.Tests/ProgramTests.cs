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

    [Fact]
    public async Task Kubernetes_is_refused_in_plain_words()
    {
        var (exitCode, _, error) = await RunAsync(["--KataContainerManager:Backend=Kubernetes"]);
        exitCode.ShouldBe(1);
        error.ShouldContain("KataContainerManager:Backend: this version has only the backend Local.");
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
        using var patience = new CancellationTokenSource(TestTime.Limit);
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
