using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Local.Host;
using DonkeyWork.CodeSandbox.Local.State;
using DonkeyWork.CodeSandbox.Manager;
using DonkeyWork.CodeSandbox.Manager.Commands;
using DonkeyWork.CodeSandbox.Manager.Configuration;
using Microsoft.AspNetCore.Connections;

if (args.TakeWhile(argument => argument != "--").Any(argument => argument is "--help" or "-h" or "-?"))
{
    Console.Out.Write(Usage.Text);
    return 0;
}

try
{
    if (args is [RunCommand.Name, ..]) return await RunCommand.RunAsync(args[1..]);
    CommandLine.Check(args);
    await using var app = ManagerApplication.Build(args);
    try
    {
        await app.StartAsync();
    }
    catch (OperationCanceledException) when (app.Lifetime.ApplicationStopping.IsCancellationRequested)
    {
        // Told to end before it served: what it has begun ends as ever.
    }

    await app.WaitForShutdownAsync();
    return 0;
}
catch (InvalidConfigurationException e)
{
    await Console.Error.WriteLineAsync("The configuration is unusable:");
    foreach (var fault in e.Faults) await Console.Error.WriteLineAsync($"  {fault}");
    return 1;
}
catch (Exception e) when (e is HostRequirementsException or ClusterConfigurationException or StateDirectoryInUseException or IOException { InnerException: AddressInUseException })
{
    await Console.Error.WriteLineAsync(e.Message);
    return 1;
}
catch (InvalidOperationException e) when (e.Message.Contains("HTTPS", StringComparison.Ordinal))
{
    // Kestrel's own words say which certificate it looked for.
    await Console.Error.WriteLineAsync($"{e.Message}{Environment.NewLine}Or listen without TLS: --urls=http://localhost:5000");
    return 1;
}
