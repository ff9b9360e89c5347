using System.Diagnostics;

namespace DonkeyWork.CodeSandbox.Testing.Processes;

/// <summary>Runs a program to its end and keeps what it printed.</summary>
public sealed record Tool(int ExitCode, string Output, string Error)
{
    /// <summary>How long what a program has printed may take to arrive once it was killed.</summary>
    private static readonly TimeSpan AfterItsEnd = TimeSpan.FromSeconds(10);

    public static Task<Tool> RunAsync(string program, params string[] arguments) =>
        RunAsync(program, arguments, environment: null);

    /// <summary>A bash script, as a reader of the README would paste it.</summary>
    public static Task<Tool> BashAsync(string script, IReadOnlyDictionary<string, string>? environment = null) =>
        RunAsync("/bin/bash", ["-c", script], environment);

    /// <summary>What a program prints to the end; an exit code other than 0 is an exception that has its words.</summary>
    public static async Task<string> OutputOfAsync(string program, IReadOnlyList<string> arguments, string? input = null)
    {
        var run = await RunAsync(program, arguments, environment: null, input: input);
        return run.ExitCode == 0
            ? run.Output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {run.ExitCode}: {run.Error}{run.Output}");
    }

    public static async Task<Tool> RunAsync(
        string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment, TimeSpan? limit = null, string? input = null)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Repository.Root,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(limit ?? Patience.Limit);
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), patience.Token);
            process.StandardInput.Close();
            await process.WaitForExitAsync(patience.Token);
            return new Tool(process.ExitCode, await output.WaitAsync(patience.Token), await error.WaitAsync(patience.Token));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end. It printed: {await PrintedAsync(output, error)}");
        }
    }

    // The pipes end with the last process that has them, which may be one that has left the tree.
    private static async Task<string> PrintedAsync(Task<string> output, Task<string> error)
    {
        try
        {
            return string.Concat(await Task.WhenAll(output, error).WaitAsync(AfterItsEnd));
        }
        catch (TimeoutException)
        {
            return "what is held by a process that it has left behind.";
        }
    }
}
