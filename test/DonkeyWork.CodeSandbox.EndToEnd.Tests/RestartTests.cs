using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Client;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>Managers that end, of themselves or not, and what the next one finds.</summary>
public sealed class RestartTests : IAsyncLifetime
{
    private readonly string directory = Path.Combine(Path.GetTempPath(), $"codesandbox-e2e-{Guid.NewGuid():N}"[..30]);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await Remains.NothingOfAsync(directory, () => "");
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task A_killed_Manager_is_followed_by_one_that_knows_its_sandboxes()
    {
        string kept, lost;
        await using (var first = await ManagerProcess.StartOnAsync(directory))
        {
            var one = await first.Client.CreateAsync();
            var two = await first.Client.CreateAsync();
            (kept, lost) = (one.Name, two.Name);
            (await one.RunAsync("echo remembered > ~/note")).ExitCode.ShouldBe(0);
            await first.KillAsync();
            // The second's executor goes while no Manager watches.
            await Tool.RunAsync("/bin/kill", "-KILL", $"{HostProcesses.ExecutorOf(lost).Pid}");
        }

        await using var second = await ManagerProcess.StartOnAsync(directory);

        (await second.Client.ListAsync()).Select(info => info.Name).ShouldBe([kept]);
        (await second.Client.Attach(kept).RunAsync("cat ~/note")).StandardOutput.ShouldBe("remembered\n");
        Remains.OfSandbox(lost).ShouldBeEmpty();
    }

    [Fact]
    public async Task Killed_in_the_middle_of_creates_it_leaves_nothing_that_the_next_one_does_not_know()
    {
        await using (var first = await ManagerProcess.StartOnAsync(directory))
        {
            var announced = new TaskCompletionSource();
            var creates = Enumerable.Range(0, 8).Select(async _ =>
            {
                try
                {
                    await foreach (var progress in first.Client.CreateWithProgressAsync())
                    {
                        if (progress is SandboxCreated)
                        {
                            announced.TrySetResult();
                        }
                    }
                }
                catch (CodeSandboxException)
                {
                    // The Manager was killed.
                }
            }).ToList();
            await announced.Task.WaitAsync(Patience.Limit);
            await first.KillAsync();
            await Task.WhenAll(creates);
        }

        await using (var second = await ManagerProcess.StartOnAsync(directory))
        {
            foreach (var info in await second.Client.ListAsync())
            {
                (await second.Client.Attach(info.Name).RunAsync("echo fine")).StandardOutput.ShouldBe("fine\n");
            }

            (await second.Client.DeleteAllAsync()).FailedCount.ShouldBe(0);
        }
    }

    [Fact]
    public async Task Ended_by_Control_C_it_removes_its_sandboxes()
    {
        string name;
        await using (var manager = await ManagerProcess.StartOnAsync(directory))
        {
            name = (await manager.Client.CreateAsync()).Name;
            HostProcesses.Of(name).ShouldNotBeEmpty();
            (await manager.InterruptAsync()).ShouldBe(0);
        }

        Remains.OfSandbox(name).ShouldBeEmpty();
    }

    [Fact]
    public async Task Told_to_keep_them_it_keeps_them()
    {
        string name;
        await using (var manager = await ManagerProcess.StartOnAsync(directory, "--Local:KeepSandboxes=true"))
        {
            name = (await manager.Client.CreateAsync()).Name;
            (await manager.InterruptAsync()).ShouldBe(0);
        }

        HostProcesses.Of(name).ShouldNotBeEmpty();
        await using var next = await ManagerProcess.StartOnAsync(directory);
        (await next.Client.Attach(name).RunAsync("echo here")).StandardOutput.ShouldBe("here\n");
    }

    [Fact]
    public async Task A_second_Manager_on_the_same_state_directory_is_refused()
    {
        await using var first = await ManagerProcess.StartOnAsync(directory);

        var second = await Should.ThrowAsync<InvalidOperationException>(() => ManagerProcess.StartOnAsync(directory));

        second.Message.ShouldContain($"{first.Pid}");
        (await first.Client.ListAsync()).ShouldBeEmpty();
    }
}
