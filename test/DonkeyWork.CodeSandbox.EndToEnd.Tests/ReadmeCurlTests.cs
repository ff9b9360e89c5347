namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>Every bash block of the README, in its order and in one shell, prints what the README says that it prints.</summary>
public sealed class ReadmeCurlTests
{
    [Fact]
    public async Task The_commands_of_the_README_print_what_it_shows()
    {
        var commands = ShownCommands.In(Repository.Read("README.md"), "bash");
        commands.Count.ShouldBeGreaterThanOrEqualTo(9);
        // As ./run.sh starts it.
        await using var manager = await ManagerProcess.StartAsync("--KataContainerManager:WarmPoolSize=2", "--KataContainerManager:DrainSeconds=5");

        await commands.RunAsync(
            command => command.Replace("http://127.0.0.1:8668", manager.Url.ToString().TrimEnd('/')),
            new Dictionary<string, string> { ["Local__StateDirectory"] = manager.StateDirectory });
    }
}
