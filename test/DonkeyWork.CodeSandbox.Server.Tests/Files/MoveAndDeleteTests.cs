namespace DonkeyWork.CodeSandbox.Server.Tests.Files;

[Collection(FileSandboxCollection.Name)]
public sealed class MoveAndDeleteTests(FileSandbox sandbox)
{
    [Fact]
    public async Task A_move_replaces_only_when_asked()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"cd {directory}; echo a > a; echo b > b; mkdir folder full; touch full/x");

        (await FileSandbox.RefusalAsync(MoveAsync($"{directory}/a", $"{directory}/b"))).ShouldBe("409 exists");
        (await FileSandbox.RefusalAsync(MoveAsync($"{directory}/folder", $"{directory}/full", true))).ShouldBe("409 directory_not_empty");
        (await FileSandbox.RefusalAsync(MoveAsync($"{directory}/a", $"{directory}/folder", true))).ShouldBe("409 is_a_directory");
        (await FileSandbox.RefusalAsync(MoveAsync($"{directory}/none", $"{directory}/c"))).ShouldBe("404 not_found");
        (await FileSandbox.RefusalAsync(MoveAsync($"{directory}/a", $"{directory}/no/c"))).ShouldBe("404 not_found");
        (await FileSandbox.RefusalAsync(MoveAsync(directory, $"{directory}/full/itself"))).ShouldBe("400 invalid_request");
        (await FileSandbox.RefusalAsync(MoveAsync("/", $"{directory}/root"))).ShouldBe("403 forbidden");
        await FileSandbox.SucceedAsync(MoveAsync($"{directory}/a", $"{directory}/b", true));
        await FileSandbox.SucceedAsync(MoveAsync($"{directory}/full", $"{directory}/folder/full"));

        (await sandbox.ShellAsync($"cd {directory}; find . | sort; cat b")).ShouldBe(".\n./b\n./folder\n./folder/full\n./folder/full/x\na\n");
    }

    [Fact]
    public async Task A_file_moves_to_another_file_system_whole()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"cd {directory}; head -c 1000000 /dev/urandom > file; chmod 754 file; touch -d @1000000000 file; sha256sum file > sum; mkdir folder");

        await FileSandbox.SucceedAsync(MoveAsync($"{directory}/file", "/disk/moved"));
        (await FileSandbox.RefusalAsync(MoveAsync($"{directory}/folder", "/disk/folder"))).ShouldBe("409 other_file_system");

        (await sandbox.ShellAsync($"cd {directory}; stat -c '%a %Y' /disk/moved; ls; mv /disk/moved file; sha256sum -c sum")).ShouldBe("754 1000000000\nfolder\nsum\nfile: OK\n");
    }

    [Fact]
    public async Task A_directory_is_made_with_its_parents_and_may_be_there()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"touch {directory}/file");

        await FileSandbox.SucceedAsync(sandbox.PostAsync("directory", $$"""{"path":"{{directory}}/a/b/c/"}"""), 201);
        await FileSandbox.SucceedAsync(sandbox.PostAsync("directory", $$"""{"path":"{{directory}}/a/b/c"}"""));
        (await FileSandbox.RefusalAsync(sandbox.PostAsync("directory", $$"""{"path":"{{directory}}/file"}"""))).ShouldBe("409 exists");
        (await FileSandbox.RefusalAsync(sandbox.PostAsync("directory", "{}"))).ShouldBe("400 invalid_request");
        (await sandbox.ShellAsync($"stat -c %a {directory}/a/b/c")).ShouldBe("755\n");
    }

    [Fact]
    public async Task A_delete_takes_a_link_and_never_where_it_leads()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"cd {directory}; mkdir -p kept/below tree/a/b; touch kept/file tree/file; ln -s ../kept tree/link; ln -s kept top; mkfifo tree/a/pipe; mkdir tree/closed; chmod 500 tree/closed");

        (await FileSandbox.RefusalAsync(DeleteAsync($"{directory}/tree"))).ShouldBe("409 directory_not_empty");
        await FileSandbox.SucceedAsync(DeleteAsync($"{directory}/tree", true));
        await FileSandbox.SucceedAsync(DeleteAsync($"{directory}/top", true));
        (await FileSandbox.RefusalAsync(DeleteAsync($"{directory}/tree", true))).ShouldBe("404 not_found");
        (await FileSandbox.RefusalAsync(DeleteAsync("/", true))).ShouldBe("403 forbidden");
        (await FileSandbox.RefusalAsync(DeleteAsync("/home/user", false))).ShouldBe("403 forbidden");
        await FileSandbox.SucceedAsync(DeleteAsync($"{directory}/kept/below"));

        (await sandbox.ShellAsync($"cd {directory}; find . | sort")).ShouldBe(".\n./kept\n./kept/file\n");
    }

    [Fact]
    public async Task A_delete_is_recursive_only_when_it_clearly_says_so()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"cd {directory}; mkdir -p tree/a");

        foreach (var no in (string[])["", "?recursive", "?recursive=", "?recursive=false", "?recursive=False"])
            (await FileSandbox.RefusalAsync(sandbox.SendAsync(HttpMethod.Delete, no, $"{directory}/tree"))).ShouldBe("409 directory_not_empty");
        foreach (var unclear in (string[])["?recursive=1", "?recursive=yes", "?recursive=true&recursive=true"])
            (await FileSandbox.RefusalAsync(sandbox.SendAsync(HttpMethod.Delete, unclear, $"{directory}/tree"))).ShouldBe("400 invalid_request");
        await FileSandbox.SucceedAsync(sandbox.SendAsync(HttpMethod.Delete, "?recursive=TRUE", $"{directory}/tree"));
    }

    [Fact]
    public async Task A_delete_reaches_nothing_outside_while_directories_become_links_and_move()
    {
        var directory = await sandbox.MakeDirectoryAsync("/disk");
        await sandbox.ShellAsync($"cd {directory}; mkdir -p outside/a/a; for i in $(seq 200); do touch outside/$i outside/a/$i outside/a/a/$i; done; find outside | sort > before");
        // A directory, the link to outside in its place, and moves of what is being walked out of the tree and back.
        await using var hostile = await sandbox.StartAsync($$"""
            cd {{directory}}; exec perl -e '
            $| = 1; print "ready\n";
            while (1) {
              mkdir "tree"; mkdir "tree/a"; mkdir "tree/a/a"; for (1..20) { open F, ">", "tree/a/a/$_" }
              rename "tree/a", "tree/b"; symlink "../outside/a", "tree/a"; unlink "tree/a"; rename "tree/b/a", "moved"; rename "moved", "tree/a"; symlink "../../outside", "tree/b/a"; }'
            """);

        var statuses = new HashSet<int>();
        for (var round = 0; round < 300; round++)
        {
            using var response = await DeleteAsync($"{directory}/tree", true);
            statuses.Add((int)response.StatusCode);
        }

        statuses.ShouldBeSubsetOf([204, 404, 409]);
        (await sandbox.ShellAsync($"cd {directory}; find outside | sort | diff - before")).ShouldBeEmpty();
    }

    private Task<HttpResponseMessage> MoveAsync(string from, string to, bool overwrite = false) =>
        sandbox.PostAsync("move", $$"""{"from":"{{from}}","to":"{{to}}","overwrite":{{(overwrite ? "true" : "false")}}}""");

    private Task<HttpResponseMessage> DeleteAsync(string path, bool recursive = false) =>
        sandbox.SendAsync(HttpMethod.Delete, recursive ? "?recursive=true" : "", path);
}
