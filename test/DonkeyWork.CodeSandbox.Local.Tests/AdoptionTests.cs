using System.Text.RegularExpressions;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Local.Cgroups;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>What a backend does with what one before it has left in the same state directory.</summary>
public sealed class AdoptionTests : IAsyncLifetime
{
    private readonly string _directory = LocalMachine.NewDirectory();

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => LocalMachine.CleanAsync(_directory);

    [Fact]
    public async Task A_living_sandbox_is_adopted_with_all_its_state()
    {
        await using var first = await LocalMachine.StartAsync(_directory);
        var sandbox = await first.Backend.CreateReadyAsync(Specs.New(PoolStatus.Warm));
        await first.Backend.AskAsync(sandbox, HttpMethod.Post, "api/claim", "{}");
        await first.Backend.RunAsync(sandbox, "echo remembered > ~/note");
        var changed = await first.Backend.ChangeAsync(
            sandbox, new SandboxChange { Owner = "u", PoolStatus = PoolStatus.Allocated, Labels = new Dictionary<string, string> { ["more"] = "yes" } }, ChangeCondition.SameVersion, CancellationToken.None);
        await first.AbandonAsync();

        await using var second = await LocalMachine.StartAsync(_directory);
        var adopted = (await second.Backend.ReadAsync(sandbox.Name, CancellationToken.None)).ShouldNotBeNull();

        adopted.Resources.ShouldBe(changed.Resources);
        adopted.Labels.ShouldBe(changed.Labels);
        (adopted with { Version = changed.Version, Labels = changed.Labels }).ShouldBe(changed);
        adopted.Version.ShouldNotBe(changed.Version);
        (await second.Backend.RunAsync(adopted, "cat ~/note")).Output.ShouldBe("remembered\n");
        await second.DisposeAsync();
        HostView.Cgroups(sandbox.Name).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_killed_process_leaves_its_sandbox_to_the_next_one()
    {
        string name;
        await using (var process = OtherProcess.Start(_directory, allowUnlimited: false, "echo remembered | tee ~/note"))
        {
            name = (await process.SaysAsync()).Split(' ')[0];
            process.Kill();
        }

        await using var second = await LocalMachine.StartAsync(_directory);

        var adopted = (await second.Backend.ReadAsync(name, CancellationToken.None)).ShouldNotBeNull();
        adopted.IsReady.ShouldBeTrue();
        (await HostView.RunAsync("cat", Path.Combine(_directory, "sandboxes", name, "disk", "home", "note"))).Output.ShouldBe("remembered\n");
        await second.DisposeAsync();
        HostView.Cgroups(name).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_adopted_sandbox_is_watched_over_like_any_other()
    {
        await using var first = await LocalMachine.StartAsync(_directory);
        var sandbox = await first.Backend.CreateReadyAsync();
        await first.AbandonAsync();
        await using var second = await LocalMachine.StartAsync(_directory);

        await HostView.RunAsync("kill", "-KILL", $"{HostView.ExecutorOf(sandbox.Name)}");

        (await second.Backend.UntilAsync(sandbox.Name, state => state is { Phase: SandboxPhase.Failed })).ShouldNotBeNull().Message.ShouldNotBeNullOrEmpty();
        await second.DisposeAsync();
    }

    [Fact]
    public async Task What_is_left_of_a_sandbox_whose_executor_has_gone_is_removed()
    {
        await using var first = await LocalMachine.StartAsync(_directory);
        var (dead, alive) = (await first.Backend.CreateReadyAsync(), await first.Backend.CreateReadyAsync());
        var executor = HostView.ExecutorOf(dead.Name);
        await first.AbandonAsync();
        await HostView.RunAsync("kill", "-KILL", $"{executor}");

        await using var second = await LocalMachine.StartAsync(_directory);

        (await second.Backend.ReadAsync(dead.Name, CancellationToken.None)).ShouldBeNull();
        HostView.Cgroups(dead.Name).ShouldBeEmpty();
        HostView.Mounts(_directory).ShouldAllBe(line => !line.Contains(dead.Name));
        (await second.Backend.RunAsync(alive, "echo alive")).Output.ShouldBe("alive\n");
        await second.DisposeAsync();
    }

    [Fact]
    public async Task A_sandbox_is_removed_from_the_group_that_it_was_made_in()
    {
        await using var first = await LocalMachine.StartAsync(_directory);
        var sandbox = await first.Backend.CreateReadyAsync();
        await first.AbandonAsync();
        // As an ordinary user's Manager leaves it, whose scope the next one does not share.
        var elsewhere = $"/codesandbox-{Guid.NewGuid():N}";
        var record = Path.Combine(_directory, "sandboxes", sandbox.Name, "sandbox.json");
        await File.WriteAllTextAsync(record, Regex.Replace(await File.ReadAllTextAsync(record), """(?<="group":")[^"]*""", $"{elsewhere}/{sandbox.Name}"));
        var parent = Path.Combine(CgroupMounts.Read().Version2!, elsewhere[1..]);
        var group = Directory.CreateDirectory(Path.Combine(parent, sandbox.Name));
        try
        {
            await using var second = await LocalMachine.StartAsync(_directory);
            (await second.Backend.RunAsync(sandbox, "echo adopted")).Output.ShouldBe("adopted\n");
            await second.DisposeAsync();

            group.Refresh();
            group.Exists.ShouldBeFalse();
            HostView.Cgroups(sandbox.Name).ShouldBeEmpty();
        }
        finally
        {
            Directory.Delete(parent);
        }
    }

    /// <summary>The moments at which a Manager can be killed while it makes a sandbox, as what it leaves on the disk.</summary>
    public static TheoryData<string> Moments => new("before the record", "in the record", "before the disk", "before the container", "before its process was noted", "in the removal");

    [Theory]
    [MemberData(nameof(Moments))]
    public async Task A_half_made_sandbox_is_removed_whole(string moment)
    {
        await using var first = await LocalMachine.StartAsync(_directory);
        var sandbox = await first.Backend.CreateReadyAsync();
        var directory = Path.Combine(_directory, "sandboxes", sandbox.Name);
        var record = Path.Combine(directory, "sandbox.json");
        var executor = HostView.ExecutorOf(sandbox.Name);
        await first.AbandonAsync();
        switch (moment)
        {
            case "before the record":
                File.Delete(record);
                break;
            case "in the record":
                await File.WriteAllTextAsync(record, (await File.ReadAllTextAsync(record))[..40]);
                break;
            case "before the disk":
                await HostView.RunAsync("runc", "--root", Path.Combine(_directory, "runtime"), "delete", "--force", sandbox.Name);
                await HostView.RunAsync("umount", Path.Combine(directory, "disk"));
                break;
            case "before the container":
                await HostView.RunAsync("runc", "--root", Path.Combine(_directory, "runtime"), "delete", "--force", sandbox.Name);
                break;
            case "before its process was noted":
                await File.WriteAllTextAsync(record, (await File.ReadAllTextAsync(record)).Replace("\"pid\"", "\"was\"", StringComparison.Ordinal));
                break;
            case "in the removal":
                await File.WriteAllTextAsync(record, (await File.ReadAllTextAsync(record)).Replace("\"isDeleting\":false", "\"isDeleting\":true", StringComparison.Ordinal));
                break;
        }

        await using var second = await LocalMachine.StartAsync(_directory);

        (await second.Backend.ReadAsync(sandbox.Name, CancellationToken.None)).ShouldBeNull();
        (await HostView.RemainsAsync(_directory)).ShouldBeEmpty();
        HostView.Cgroups(sandbox.Name).ShouldBeEmpty();
        HostView.IsAlive(executor).ShouldBeFalse();
        await second.DisposeAsync();
    }

    [Fact]
    public async Task Kept_sandboxes_outlive_a_stop_and_are_found_again()
    {
        await using var first = await LocalMachine.StartAsync(_directory, options => options with { KeepSandboxes = true });
        var sandbox = await first.Backend.CreateReadyAsync();
        await first.Backend.StopAsync(CancellationToken.None);
        await first.AbandonAsync();

        await using var second = await LocalMachine.StartAsync(_directory);

        (await second.Backend.RunAsync(sandbox, "echo here")).Output.ShouldBe("here\n");
        await second.DisposeAsync();
    }
}
