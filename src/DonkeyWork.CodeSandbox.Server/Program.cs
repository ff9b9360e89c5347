using System.Reflection;
using DonkeyWork.CodeSandbox.Server;
using DonkeyWork.CodeSandbox.Server.Posix;

const int usageExitCode = 2;
try
{
    if (args.Contains("--help"))
    {
        Terminal.WriteOutput(ExecutorOptions.Help);
        return 0;
    }

    if (args.Contains("--version"))
    {
        var version = Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        Terminal.WriteOutput($"codesandbox-executor {version} ({Flavour.Name})");
        return 0;
    }

    var options = ExecutorOptions.Parse(args);
    using var quit = SelfProtection.Enable();
    await Executor.RunAsync(options, quit);
    return 0;
}
catch (UsageException error)
{
    Terminal.WriteError($"codesandbox-executor: {error.Message}\nTry --help.");
    return usageExitCode;
}
catch (IOException error)
{
    Terminal.WriteError($"codesandbox-executor: {error.Message}");
    return 1;
}
