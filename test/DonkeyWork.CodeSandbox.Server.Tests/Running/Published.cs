using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace DonkeyWork.CodeSandbox.Server.Tests.Running;

/// <summary>The published executor, and programs of the machine.</summary>
internal static class Published
{
    /// <summary>The one time limit of these tests: longer than anything takes that works.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>The folder with both binaries.</summary>
    public static string Directory { get; } = FindDirectory();

    public static string Executor => Path.Combine(Directory, "codesandbox-executor");

    /// <summary>Runs a program to its end.</summary>
    public static (int ExitCode, string Output, string Error) Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit(Patience).ShouldBeTrue($"{program} does not end");
        return (process.ExitCode, output, error.GetAwaiter().GetResult());
    }

    /// <summary>Runs a program that must succeed.</summary>
    public static string Succeed(string program, params string[] arguments)
    {
        var (exitCode, output, error) = Run(program, arguments);
        exitCode.ShouldBe(0, $"{program} {string.Join(' ', arguments)}: {error}{output}");
        return output;
    }

    /// <summary>Waits until something is so that nobody announces, such as a state in /proc.</summary>
    public static async Task EventuallyAsync(Func<bool> condition, string what)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            if (clock.Elapsed > Patience)
                throw new TimeoutException(what);
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    /// <summary>A file beside the tests' sources.</summary>
    public static string Source(string name, [CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "..", name);

    private static string FindDirectory()
    {
        var root = new DirectoryInfo(Path.GetDirectoryName(Source("."))!);
        while (!File.Exists(Path.Combine(root.FullName, "global.json")))
            root = root.Parent ?? throw new InvalidOperationException("The repository is not found.");
        Succeed(Path.Combine(root.FullName, "build", "publish-executor.sh"));
        return Path.Combine(root.FullName, "artifacts", "executor");
    }
}
