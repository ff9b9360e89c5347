using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>A state directory on a small disk of its own, which fills up.</summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    private readonly string _disk = LocalMachine.NewDirectory();
    private readonly string _image = LocalMachine.NewDirectory() + ".ext4";
    private string _directory = "";

    public async Task InitializeAsync()
    {
        Directory.CreateDirectory(_disk);
        await ToolAsync("truncate", "--size=192M", _image);
        await ToolAsync("mkfs.ext4", "-q", "-m", "0", "-b", "4096", _image);
        await ToolAsync("mount", "-o", "loop", _image, _disk);
        _directory = Path.Combine(_disk, "state");
    }

    public async Task DisposeAsync()
    {
        try
        {
            if (Directory.Exists(Filler))
                Directory.Delete(Filler, recursive: true);
            await LocalMachine.CleanAsync(_directory);
        }
        finally
        {
            await ToolAsync("umount", _disk);
            Directory.Delete(_disk);
            File.Delete(_image);
        }
    }

    private string Filler => Path.Combine(_disk, "filler");

    [Fact]
    public async Task Sandboxes_are_used_ended_found_again_and_removed_and_none_is_made()
    {
        await using var first = await StartAsync();
        var (kept, killed, deleted) = (await first.Backend.CreateReadyAsync(), await first.Backend.CreateReadyAsync(), await first.Backend.CreateReadyAsync());
        await FillAsync();

        var full = await Should.ThrowAsync<BackendUnavailableException>(() => first.Backend.CreateAsync(Specs.New(), CancellationToken.None));
        full.Message.ShouldContain(_directory);
        var active = kept.CreatedAt.AddMinutes(1);
        kept = await first.Backend.ChangeAsync(kept, new SandboxChange { LastActivity = active }, ChangeCondition.SameVersion, CancellationToken.None);
        kept.LastActivity.ShouldBe(active);
        await Should.ThrowAsync<BackendUnavailableException>(() => first.Backend.ChangeAsync(kept, new SandboxChange { Owner = "u", PoolStatus = PoolStatus.Allocated }, ChangeCondition.SameVersion, CancellationToken.None));
        (await first.Backend.ReadAsync(kept.Name, CancellationToken.None)).ShouldBe(kept, "a claim that is not kept is not made");
        await HostView.RunAsync("kill", "-KILL", $"{HostView.ExecutorOf(killed.Name)}");
        (await first.Backend.UntilAsync(killed.Name, state => state is { Phase: SandboxPhase.Failed })).ShouldNotBeNull().IsReady.ShouldBeFalse();
        await first.Backend.DeleteGoneAsync(deleted);
        await FillAsync();
        await first.AbandonAsync();

        await using var second = await StartAsync();

        (await second.Backend.ReadAsync(kept.Name, CancellationToken.None)).ShouldNotBeNull().IsReady.ShouldBeTrue();
        (await second.Backend.RunAsync(kept, "echo here")).Output.ShouldBe("here\n");
        (await second.Backend.ReadAsync(killed.Name, CancellationToken.None)).ShouldBeNull();
        await second.DisposeAsync();
        (await HostView.RemainsAsync(_directory)).ShouldBeEmpty();
    }

    private Task<LocalMachine> StartAsync() => LocalMachine.StartAsync(_directory, options => options with { HomeSizeMi = 16 });

    // To the last block, as sandboxes do that write to their sparse disks. What the file system had set aside comes free as it writes.
    private Task FillAsync() => ToolAsync("bash", "-c", """
        mkdir -p "$0"
        for round in 1 2 3; do
            head -c 1G /dev/zero > "$0/$(date +%s%N)"
            while head -c 4096 /dev/zero > "$0/$(date +%s%N)"; do :; done
            sync -f "$0"
        done 2>/dev/null
        ! echo full 2>/dev/null > "$0/last"
        """, Filler);

    private static async Task ToolAsync(string program, params string[] arguments)
    {
        var (exitCode, output) = await HostView.RunAsync(program, arguments);
        exitCode.ShouldBe(0, output);
    }
}
