using DonkeyWork.CodeSandbox.Manager;
using DonkeyWork.CodeSandbox.Manager.Configuration;

if (args.Any(argument => argument is "--help" or "-h" or "-?"))
{
    Console.Out.Write(Usage.Text);
    return 0;
}

try
{
    await using var app = ManagerApplication.Build(args);
    await app.RunAsync();
    return 0;
}
catch (InvalidConfigurationException e)
{
    await Console.Error.WriteLineAsync("The configuration is unusable:");
    foreach (var fault in e.Faults) await Console.Error.WriteLineAsync($"  {fault}");
    return 1;
}
