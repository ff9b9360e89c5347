namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>Every bash block of the README, in its order and in one shell, prints what the README says that it prints.</summary>
[Collection(SharedManagerCollection.Name)]
public sealed class ReadmeCurlTests(SharedManager shared)
{
    [Fact]
    public async Task The_commands_of_the_README_print_what_it_shows()
    {
        var commands = ShownCommands.In(Repository.Read("README.md"), "bash");
        commands.Count.ShouldBeGreaterThanOrEqualTo(5);

        await commands.RunAsync(
            command => command.Replace("http://127.0.0.1:8668", shared.Manager.Url.ToString().TrimEnd('/')),
            new Dictionary<string, string> { ["Local__StateDirectory"] = shared.Manager.StateDirectory });
    }
}
