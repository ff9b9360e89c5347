using System.Globalization;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Posix;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Files;

/// <summary>
/// The kernel's queue of events runs over while the executor is stopped. What fills it is nothing that a watcher would be told of
/// (the mode of the watched directories themselves, in turns, for the same twice in a row is one), so that an overflow is the kernel's.
/// </summary>
[Collection(FileSandboxCollection.Name)]
public sealed class LostEventsTests(FileSandbox sandbox)
{
    private const int Stop = 19;

    /// <summary>What the kernel keeps of one instance: inotify(7).</summary>
    private static readonly int QueueLength =
        int.Parse(File.ReadAllText("/proc/sys/fs/inotify/max_queued_events"), CultureInfo.InvariantCulture);

    [Fact]
    public async Task What_the_kernel_loses_is_told_and_later_changes_too_where_nobody_heard_of_the_directory()
    {
        var (first, second) = (await sandbox.MakeDirectoryAsync("/disk"), await sandbox.MakeDirectoryAsync("/disk"));
        await using var one = await Watch.StartAsync(sandbox, first);
        await using var two = await Watch.StartAsync(sandbox, second);

        await WhileStoppedAsync(() =>
        {
            ChangeModes(QueueLength + 1, first, second);
            Directory.CreateDirectory(sandbox.OnHost($"{first}/unheard"));
        });

        (await one.UntilAsync(_ => true)).ShouldBe([new FileChange { Type = FileChangeType.Overflow, Path = first }]);
        (await two.UntilAsync(_ => true)).ShouldBe([new FileChange { Type = FileChangeType.Overflow, Path = second }]);
        File.Create(sandbox.OnHost($"{first}/unheard/file")).Dispose();
        await sandbox.ShellAsync($"touch {second}/file");
        (await one.UntilAsync(_ => true)).ShouldBe([new FileChange { Type = FileChangeType.Created, Path = $"{first}/unheard/file" }]);
        (await two.UntilAsync(_ => true)).ShouldBe([new FileChange { Type = FileChangeType.Created, Path = $"{second}/file" }]);
    }

    [Fact]
    public async Task What_the_kernel_keeps_is_all_told_and_nothing_else()
    {
        var (first, second) = (await sandbox.MakeDirectoryAsync("/disk"), await sandbox.MakeDirectoryAsync("/disk"));
        await using var one = await Watch.StartAsync(sandbox, first);
        await using var two = await Watch.StartAsync(sandbox, second);

        await WhileStoppedAsync(() =>
        {
            ChangeModes(QueueLength - 10, first, second);
            Directory.CreateDirectory(sandbox.OnHost($"{first}/heard"));
        });

        (await one.UntilAsync(_ => true)).ShouldBe([new FileChange { Type = FileChangeType.Created, Path = $"{first}/heard" }]);
        await sandbox.ShellAsync($"touch {second}/file");
        (await two.UntilAsync(_ => true)).ShouldBe([new FileChange { Type = FileChangeType.Created, Path = $"{second}/file" }]);
    }

    private void ChangeModes(int times, params string[] directories)
    {
        var paths = directories.Select(sandbox.OnHost).ToArray();
        for (var i = 0; i < times; i++)
            File.SetUnixFileMode(paths[i % paths.Length], (UnixFileMode)(i / paths.Length % 2 == 0 ? 0x1FF : 0x1ED));
    }

    private async Task WhileStoppedAsync(Action action)
    {
        var pid = sandbox.Container.Pid;
        Native.Kill(pid, Stop).ShouldBe(0);
        try
        {
            await Published.EventuallyAsync(() => HostProcess.Status(pid, "State").StartsWith('T'), "it does not stop");
            action();
        }
        finally
        {
            Native.Kill(pid, Native.SIGCONT);
        }
    }
}
