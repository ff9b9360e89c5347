using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Files;

[Collection(FileSandboxCollection.Name)]
public sealed class HostilePathTests(FileSandbox sandbox)
{
    public static TheoryData<string> OfTheExecutor =>
    [
        "/proc/self/environ", "/proc/1/environ", "/proc/self/exe", "/proc/self/maps", "/proc/thread-self/mem", "/proc/self/fd/0",
        "/proc/self/root/etc/passwd", "/proc/1/root/etc/passwd", "/proc/self/cwd/etc/passwd", "/proc/self/fd", "/proc", "/proc/version",
        "/etc/../proc/self/environ", "//proc//self/./environ", "/proc/none", "/dev/fd-like", "/dev/stdin-like",
    ];

    [Theory]
    [MemberData(nameof(OfTheExecutor))]
    public async Task Nothing_in_or_through_proc_is_shown_or_changed(string path)
    {
        var directory = await sandbox.MakeDirectoryAsync();
        // Also through links, of files and of directories.
        await sandbox.ShellAsync($"ln -s {path.Replace("/dev/fd-like", "/proc/self/fd/1", StringComparison.Ordinal).Replace("/dev/stdin-like", "/proc/self/fd/0", StringComparison.Ordinal)} {directory}/link; ln -s /proc {directory}/p");
        string[] ways = path.StartsWith("/dev/", StringComparison.Ordinal)
            ? [$"{directory}/link"]
            : [path, $"{directory}/link", path.Replace("/proc", $"{directory}/p", StringComparison.Ordinal)];
        foreach (var way in ways)
        {
            (await FileSandbox.RefusalAsync(sandbox.GetAsync(way))).ShouldBe("403 forbidden", way);
            (await FileSandbox.RefusalAsync(sandbox.PutAsync(way, [1]))).ShouldBe("403 forbidden", way);
            (await FileSandbox.RefusalAsync(sandbox.SendAsync(HttpMethod.Get, "/list", way))).ShouldBe("403 forbidden", way);
            (await FileSandbox.RefusalAsync(sandbox.UnpackAsync(way, Stream.Null))).ShouldBe("403 forbidden", way);
            (await FileSandbox.RefusalAsync(sandbox.PostAsync("directory", $$"""{"path":"{{way}}"}"""))).ShouldBe("403 forbidden", way);
        }
    }

    [Fact]
    public async Task Control_without_the_guard_the_executors_own_descriptors_are_shown()
    {
        await using var container = await ExecutorContainer.StartAsync(
            KillMode.Cgroup, new ContainerOptions { Environment = new Dictionary<string, string> { ["CODESANDBOX_DISABLE_GUARDS"] = "kernel-files" } });

        using var response = await container.Api.SendAsync(HttpMethod.Get, "/api/files/list?path=/proc/1/fd");

        (await response.Content.ReadAsStringAsync()).ShouldContain("anon_inode:[eventpoll]");
    }

    [Theory]
    [InlineData("mkfifo $d/x")]
    [InlineData("perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => \"$ENV{d}/x\", Listen => 1)'")]
    [InlineData("ln -s /dev/zero $d/x")]
    [InlineData("ln -s /dev/tty $d/x")]
    public async Task What_is_neither_file_nor_directory_is_refused_at_once(string command)
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"export d={directory}; {command}");

        (await FileSandbox.RefusalAsync(sandbox.GetAsync($"{directory}/x"))).ShouldBe("403 forbidden");
        (await FileSandbox.RefusalAsync(sandbox.PutAsync($"{directory}/x", [1]))).ShouldBe("403 forbidden");
        (await FileSandbox.RefusalAsync(sandbox.SendAsync(HttpMethod.Get, "/list", $"{directory}/x"))).ShouldBe("403 forbidden");
    }

    [Fact]
    public async Task A_lease_that_a_command_holds_stops_nobody()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await using var holder = await sandbox.StartAsync(
            $"touch {directory}/x; exec python3 -uc 'import fcntl,os,signal; signal.signal(signal.SIGIO, signal.SIG_IGN); f=os.open(\"{directory}/x\",os.O_RDWR); fcntl.fcntl(f,fcntl.F_SETLEASE,fcntl.F_WRLCK); print(1); signal.pause()'");

        (await FileSandbox.RefusalAsync(sandbox.GetAsync($"{directory}/x"))).ShouldBe("403 forbidden");
    }

    [Fact]
    public async Task Paths_that_cannot_be_are_bad_requests()
    {
        (await FileSandbox.RefusalAsync(sandbox.SendAsync(HttpMethod.Get, ""))).ShouldBe("400 invalid_request");
        foreach (var route in (string[])["", "/list", "/watch"])
            (await FileSandbox.RefusalAsync(sandbox.SendAsync(HttpMethod.Get, $"{route}?path=a", "b"))).ShouldBe("400 invalid_request");
        (await FileSandbox.RefusalAsync(sandbox.GetAsync("a\0b"))).ShouldBe("400 invalid_request");
        (await FileSandbox.RefusalAsync(sandbox.GetAsync(new string('n', 4096)))).ShouldBe("400 invalid_request");
        (await FileSandbox.RefusalAsync(sandbox.PutAsync(new string('n', 4096), [1]))).ShouldBe("400 invalid_request");
        (await FileSandbox.RefusalAsync(sandbox.PutAsync($"none/{new string('n', 256)}", [1]))).ShouldBe("400 invalid_request");
        (await FileSandbox.RefusalAsync(sandbox.PostAsync("directory", """{"path":"\ud800"}"""))).ShouldBe("400 invalid_request");
        (await FileSandbox.RefusalAsync(sandbox.GetAsync("/home/user/none/../x"))).ShouldBe("404 not_found");
        (await FileSandbox.RefusalAsync(sandbox.GetAsync("/home/user/none"))).ShouldBe("404 not_found");
        (await FileSandbox.RefusalAsync(sandbox.GetAsync("/"))).ShouldBe("409 is_a_directory");
        (await sandbox.ShellAsync("ls -d /home/user/none 2>&1 || true")).ShouldContain("No such file");
    }

    [Fact]
    public async Task A_tree_deeper_than_any_path_is_read_listed_packed_and_deleted()
    {
        const int levels = 3000;
        var directory = await sandbox.MakeDirectoryAsync("/disk");
        var before = sandbox.ForgetPeak();
        await sandbox.ShellAsync($"cd {directory}; perl -e 'for (1..{levels}) {{ mkdir \"d\" or die; chdir \"d\" or die }} open F, \">\", \"file\" or die; print F \"deep\"'");
        var file = string.Concat(Enumerable.Repeat("/d", levels)) + "/file";

        using var content = await sandbox.GetAsync(directory + file);
        (await content.Content.ReadAsStringAsync()).ShouldBe("deep");
        (await sandbox.ListAsync(directory, 64)).Length.ShouldBe(64);
        await FileSandbox.SucceedAsync(sandbox.PutAsync(directory + file + "2", "put"u8.ToArray()), 201);
        using var archive = await sandbox.SendAsync(HttpMethod.Get, "", directory, accept: "application/x-tar");
        var names = await Tar.NamesAsync(archive);
        names.Length.ShouldBe(levels + 2);
        names.ShouldContain(file[1..]);
        HostProcess.CountDescriptors(sandbox.Container.Pid).ShouldBeLessThan(200);

        await FileSandbox.SucceedAsync(sandbox.SendAsync(HttpMethod.Delete, "?recursive=true", directory));
        Directory.Exists(sandbox.OnHost(directory)).ShouldBeFalse();
        (sandbox.PeakMebibytes - before).ShouldBeLessThan(FileSandbox.OwnMebibytes);
    }

    [Fact]
    public async Task A_tree_deeper_than_a_walk_goes_is_deleted_and_no_archive_leaves_it_out_in_silence()
    {
        const int levels = 2000;
        var directory = await sandbox.MakeDirectoryAsync("/disk");
        await sandbox.ShellAsync($"mkdir {directory}/tree; cd {directory}/tree; perl -e '$d = \"d\" x 250; for (1..{levels}) {{ mkdir $d or die; chdir $d or die }} open F, \">\", \"file\" or die'");
        var before = sandbox.ForgetPeak();

        using (var archive = await sandbox.SendAsync(HttpMethod.Get, "", $"{directory}/tree", accept: "application/x-tar"))
            await Should.ThrowAsync<HttpRequestException>(archive.Content.CopyToAsync(Stream.Null));
        await FileSandbox.SucceedAsync(sandbox.SendAsync(HttpMethod.Delete, "?recursive=true", $"{directory}/tree"));

        (await sandbox.ShellAsync($"ls -A {directory}")).ShouldBeEmpty();
        (sandbox.PeakMebibytes - before).ShouldBeLessThan(FileSandbox.OwnMebibytes);
    }
}
