using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Files;

[Collection(FileSandboxCollection.Name)]
public sealed class WatchTests(FileSandbox sandbox)
{
    [Fact]
    public async Task What_happens_is_told_in_order()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await using var watch = await Watch.StartAsync(sandbox, directory);

        await sandbox.ShellAsync($"cd {directory}; echo 1 > a; echo 2 >> a; chmod 600 a; mv a b; rm b; touch $'new\\nline'");

        var changes = await watch.UntilAsync(change => change.Path.EndsWith("new\nline", StringComparison.Ordinal) && change.Type == FileChangeType.Created);
        changes.Select(change => $"{change.Type} {change.Path[(directory.Length + 1)..]} {change.From?[(directory.Length + 1)..]}").Distinct()
            .ShouldBe(["Created a ", "Modified a ", "Renamed b a", "Deleted b ", "Created new\nline "]);
    }

    [Fact]
    public async Task Directories_that_are_made_are_watched_at_once_and_nothing_made_in_them_meanwhile_is_lost_or_told_twice()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await using var watch = await Watch.StartAsync(sandbox, directory);

        await sandbox.ShellAsync($"cd {directory}; for i in $(seq 100); do mkdir -p $i/a/b; echo x > $i/a/b/file; done; touch end");

        var created = (await watch.UntilAsync(change => change.Path == $"{directory}/end"))
            .Where(change => change.Type == FileChangeType.Created).Select(change => change.Path).ToList();
        created.ShouldBeUnique();
        var expected = (await sandbox.ShellAsync($"find {directory} -mindepth 1")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        created.Order(StringComparer.Ordinal).ShouldBe(expected.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_tree_that_moves_is_one_rename_and_goes_on_under_its_new_name()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"cd {directory}; mkdir -p in/a/b outside/c/d; touch outside/c/d/file");
        await using var watch = await Watch.StartAsync(sandbox, $"{directory}/in");

        await sandbox.ShellAsync($"cd {directory}; mv in/a in/moved; touch in/moved/b/file; mv outside/c in/c; mv in/moved outside/gone; touch outside/gone/b/unseen in/c/d/seen; sleep 0.2; touch in/end");

        var changes = await watch.UntilAsync(change => change.Path.EndsWith("/end", StringComparison.Ordinal));
        var top = $"{directory}/in/".Length;
        changes.Where(change => change.Type != FileChangeType.Modified).Select(change => $"{change.Type} {change.Path[top..]} {change.From?[top..]}")
            .Order(StringComparer.Ordinal)
            .ShouldBe(["Created c ", "Created c/d ", "Created c/d/file ", "Created c/d/seen ", "Created end ", "Created moved/b/file ", "Deleted moved ", "Renamed moved a"]);
    }

    [Fact]
    public async Task An_upload_is_told_once_it_is_there()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await using var watch = await Watch.StartAsync(sandbox, directory);

        await FileSandbox.SucceedAsync(sandbox.PutAsync($"{directory}/file", new byte[100_000]), 201);
        await sandbox.ShellAsync($"touch {directory}/end");

        (await watch.UntilAsync(change => change.Path == $"{directory}/end" && change.Type == FileChangeType.Created))
            .Select(change => $"{change.Type} {change.Path[(directory.Length + 1)..]}").ShouldBe(["Created file", "Created end"]);
    }

    [Fact]
    public async Task One_who_does_not_read_is_told_that_changes_were_lost_and_holds_nobody()
    {
        var directory = await sandbox.MakeDirectoryAsync("/disk");
        await using var slow = await Watch.StartAsync(sandbox, directory);
        await using var quick = await Watch.StartAsync(sandbox, directory);
        var seen = quick.UntilAsync(change => change.Path == $"{directory}/end");

        await sandbox.ShellAsync($"cd {directory}; perl -e 'for (1..30000) {{ open F, \">\", \"a-rather-long-name-so-that-fewer-fit-$_\" }}'; touch end");

        (await seen).ShouldNotBeEmpty();
        (await slow.UntilAsync(change => change.Type == FileChangeType.Overflow || change.Path == $"{directory}/end"))[^1].Type.ShouldBe(FileChangeType.Overflow);
        await sandbox.ShellAsync($"mkdir {directory}/later; touch {directory}/later/file");
        (await slow.UntilAsync(change => change.Path == $"{directory}/later/file")).ShouldNotBeEmpty();
        await FileSandbox.SucceedAsync(sandbox.SendAsync(HttpMethod.Delete, "?recursive=true", directory));
    }

    [Fact]
    public async Task It_ends_with_the_directory_and_there_is_one_instance_only_while_somebody_watches()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await using (var first = await Watch.StartAsync(sandbox, directory))
        await using (var second = await Watch.StartAsync(sandbox, directory))
        {
            Instances().ShouldBe(1);
            await sandbox.ShellAsync($"rmdir {directory}");
            (await first.UntilAsync(_ => false))[^1].ShouldBe(new FileChange { Type = FileChangeType.Deleted, Path = directory });
        }

        await Published.EventuallyAsync(() => Instances() == 0, "the instance stays open");
    }

    [Fact]
    public async Task Too_many_directories_read_only_ones_and_the_kernels_are_refused()
    {
        var directory = await sandbox.MakeDirectoryAsync("/disk");
        await sandbox.ShellAsync($"cd {directory}; mkdir $(seq 8200); touch file");

        (await FileSandbox.RefusalAsync(WatchAsync(directory))).ShouldBe("429 too_many_watches");
        (await FileSandbox.RefusalAsync(WatchAsync("/usr/bin"))).ShouldBe("403 forbidden");
        (await FileSandbox.RefusalAsync(WatchAsync("/proc"))).ShouldBe("403 forbidden");
        (await FileSandbox.RefusalAsync(WatchAsync("/none"))).ShouldBe("404 not_found");
        (await FileSandbox.RefusalAsync(WatchAsync($"{directory}/file"))).ShouldBe("409 not_a_directory");
        Instances().ShouldBe(0);
        await FileSandbox.SucceedAsync(sandbox.SendAsync(HttpMethod.Delete, "?recursive=true", directory));
    }

    private Task<HttpResponseMessage> WatchAsync(string path) => sandbox.SendAsync(HttpMethod.Get, "/watch", path);

    private int Instances() => Directory.EnumerateFileSystemEntries($"/proc/{sandbox.Container.Pid}/fd").Count(path => new FileInfo(path).LinkTarget == "anon_inode:inotify");
}
