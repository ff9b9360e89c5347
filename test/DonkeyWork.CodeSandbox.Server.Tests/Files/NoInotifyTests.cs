using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Files;

/// <summary><c>--no-inotify</c>: instances are counted for the whole host, so commands have none.</summary>
public sealed class NoInotifyTests
{
    [Theory]
    [InlineData(KillMode.Cgroup)]
    [InlineData(KillMode.Reaper)]
    public async Task A_command_makes_no_instance_by_any_number_while_the_executor_watches(KillMode mode)
    {
        await using var container = await ExecutorContainer.StartAsync(mode, new ContainerOptions { NoInotify = true });
        using var watch = await container.Api.SendAsync(HttpMethod.Get, "/api/files/watch?path=/home/user");
        ((int)watch.StatusCode).ShouldBe(200);

        var made = await container.Api.RunAsync("/opt/attack/attack inotify 0; echo $?");

        made.Stdout.ShouldBe("0\n");
        await container.Api.RunAsync("touch /home/user/file");
        using var reader = new StreamReader(await watch.Content.ReadAsStreamAsync());
        (await reader.ReadLineAsync()).ShouldBe("""data: {"type":"created","path":"/home/user/file"}""");
    }

    [Fact]
    public async Task Control_without_the_option_commands_make_instances()
    {
        await using var container = await ExecutorContainer.StartAsync(KillMode.Cgroup);

        int.Parse((await container.Api.RunAsync("/opt/attack/attack inotify 0; echo $?")).Stdout, null).ShouldBeGreaterThanOrEqualTo(2);
    }
}
