using System.Runtime.InteropServices;
using DonkeyWork.CodeSandbox.Client;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Local.State;
using DonkeyWork.CodeSandbox.Manager.Configuration;

namespace DonkeyWork.CodeSandbox.Manager.Commands;

/// <summary>
/// <c>codesandbox-manager run [--KEY=VALUE]... COMMAND</c>: one command in a sandbox of its own, which is deleted after it.
/// Asks the Manager that holds the state directory, or is one itself for as long as it takes.
/// </summary>
internal static class RunCommand
{
    /// <summary>The first argument that asks for it.</summary>
    public const string Name = "run";

    // As a shell tells them: 128 + SIGINT, 128 + SIGPIPE.
    private const int Interrupted = 130;
    private const int NobodyReads = 141;
    private const int Misused = 2;
    private const int Failed = 125;

    // Standard output is the command's alone, and another Manager's sandboxes, kept for it, stay.
    private static readonly string[] Settings =
    [
        "--urls=http://127.0.0.1:0",
        "--Serilog:MinimumLevel:Default=Warning",
        "--Serilog:MinimumLevel:Override:Microsoft.Hosting.Lifetime=Warning",
        "--Serilog:WriteTo:0:Args:standardErrorFromLevel=Verbose",
        // How exact the limit is with several Managers is nothing to one sandbox.
        "--Serilog:MinimumLevel:Override:DonkeyWork.CodeSandbox.Kubernetes.Quota=Error",
        "--Local:KeepSandboxes=true",
        // Who interrupts this waits for nothing but the clean-up.
        "--KataContainerManager:DrainSeconds=0",
    ];

    /// <summary>Runs it.</summary>
    /// <returns>
    /// The command's exit code; 125 where there was no running it or output was lost, 130 when interrupted, 141 when nobody reads its output,
    /// 2 when misused. An unusable configuration or machine is thrown, and ends the program with 1.
    /// </returns>
    public static async Task<int> RunAsync(string[] args)
    {
        var settings = args.TakeWhile(argument => argument != "--" && argument.StartsWith("--", StringComparison.Ordinal)).ToArray();
        string[] rest = args[settings.Length..] is ["--", .. var behind] ? behind : args[settings.Length..];
        if (rest is not [var command])
        {
            await Console.Error.WriteLineAsync("""Usage: codesandbox-manager run [--KEY=VALUE]... [--] "COMMAND" (the command is one argument: quote it)""");
            return Misused;
        }

        CommandLine.Check(settings);

        using var interrupt = new CancellationTokenSource();
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        try
        {
            return await InSomeManagerAsync(settings, command, interrupt.Token);
        }
        catch (OperationCanceledException) when (interrupt.IsCancellationRequested)
        {
            return Interrupted;
        }
        catch (OutputException e) when (e.NobodyReads)
        {
            return NobodyReads;
        }
        catch (OutputException e)
        {
            await Console.Error.WriteLineAsync($"error: the output cannot be written: {e.Message}");
            return Failed;
        }
        catch (CodeSandboxException refused)
        {
            await Console.Error.WriteLineAsync($"error: {refused.Message}");
            return Failed;
        }

        void Cancel(PosixSignalContext signal)
        {
            signal.Cancel = true;
            interrupt.Cancel();
        }
    }

    private static async Task<int> InSomeManagerAsync(string[] settings, string command, CancellationToken cancellationToken)
    {
        WebApplication own;
        try
        {
            // What is another Manager's is kept by that one's settings.
            own = ManagerApplication.Build([.. Settings, .. settings], builder => builder.Services.AddSingleton<IHostLifetime, NoLifetime>(), keepsUp: false);
        }
        catch (StateDirectoryInUseException running) when (running.Url is not null)
        {
            return await InSandboxAsync(running.Url, ApiKeyOf(settings), command, cancellationToken);
        }

        await using (own)
        {
            await own.StartAsync(cancellationToken);
            try
            {
                return await InSandboxAsync(new Uri(own.Urls.First()), ApiKeyOf(settings), command, cancellationToken);
            }
            finally
            {
                await own.StopAsync(CancellationToken.None);
            }
        }
    }

    private static async Task<int> InSandboxAsync(Uri manager, string? apiKey, string command, CancellationToken cancellationToken)
    {
        await using var client = new CodeSandboxClient(manager, new CodeSandboxClientOptions { ApiKey = apiKey });
        await using var sandbox = await client.CreateAsync(cancellationToken: cancellationToken);
        // Who reads slowly holds the command, as a pipe does.
        var options = new StartOptions
        {
            TimeoutSeconds = ExecuteRequest.MaxTimeoutSeconds,
            OpenStandardInput = Console.IsInputRedirected,
            Overflow = OverflowPolicy.Wait,
        };
        await using var execution = await sandbox.StartAsync(command, options, cancellationToken);
        using var streams = new StandardStreams();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // Nobody waits for its end: a read of standard input cannot be cancelled, and ends with this program.
        if (options.OpenStandardInput) _ = Task.Run(() => StandardStreams.CopyInputAsync(execution.StandardInput, ending.Token), CancellationToken.None);
        try
        {
            return await FollowAsync(execution, streams, ending);
        }
        finally
        {
            await ending.CancelAsync();
        }
    }

    private static async Task<int> FollowAsync(Execution execution, StandardStreams streams, CancellationTokenSource ending)
    {
        await using var events = execution.ReadEventsAsync(cancellationToken: ending.Token).GetAsyncEnumerator(ending.Token);
        var exitCode = Failed;
        var isWhole = true;
        while (true)
        {
            var next = events.MoveNextAsync().AsTask();
            try
            {
                if (!next.IsCompleted) streams.Flush();
            }
            catch (OutputException)
            {
                // Events that are being waited for cannot be let go of.
                await ending.CancelAsync();
                await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                throw;
            }

            if (!await next) break;
            if (events.Current is ProcessOutput output) streams.Write(output);
            if (events.Current is OutputTruncated lost)
            {
                isWhole = false;
                await Console.Error.WriteLineAsync($"error: {lost.Bytes} bytes of output were lost here");
            }

            if (events.Current is not ProcessExited exited) continue;
            exitCode = exited.State.ExitCode ?? Failed;
            if (exited.State.Reason is ExitReason.OomKilled) await Console.Error.WriteLineAsync("killed: the sandbox's memory was exhausted");
        }

        streams.Flush();
        return isWhole ? exitCode : Failed;
    }

    private static string? ApiKeyOf(string[] settings) => ManagerApplication.ReadConfiguration(settings)[ManagerSettings.KeySetting];
}
