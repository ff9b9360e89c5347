using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Files;

[Collection(FileSandboxCollection.Name)]
public sealed class ListTests(FileSandbox sandbox)
{
    [Fact]
    public async Task Each_entry_is_what_stat_says()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"cd {directory}; printf 12345 > file; chmod 4640 file; mkdir folder; touch folder/below; ln -s ../no/where link; mkfifo pipe");

        var entries = (await sandbox.ListAsync(directory)).ToDictionary(entry => entry.Name);

        entries.Keys.Order().ShouldBe(["file", "folder", "link", "pipe"]);
        entries["file"].ShouldSatisfyAllConditions(
            file => file.Type.ShouldBe(FileEntryType.File), file => file.Size.ShouldBe(5), file => file.Mode.ShouldBe("4640"),
            file => file.Owner.ShouldBe(1000), file => file.Path.ShouldBe($"{directory}/file"));
        entries["folder"].Type.ShouldBe(FileEntryType.Directory);
        entries["link"].Target.ShouldBe("../no/where");
        entries["pipe"].Type.ShouldBe(FileEntryType.Other);
        (await sandbox.ListAsync(directory, 2)).Select(entry => entry.Path).ShouldContain($"{directory}/folder/below");
        (await FileSandbox.RefusalAsync(sandbox.SendAsync(HttpMethod.Get, "/list?depth=0", directory))).ShouldBe("400 invalid_request");
        (await FileSandbox.RefusalAsync(sandbox.SendAsync(HttpMethod.Get, "/list", $"{directory}/file"))).ShouldBe("409 not_a_directory");
        (await FileSandbox.RefusalAsync(sandbox.SendAsync(HttpMethod.Get, "/list", $"{directory}/none"))).ShouldBe("404 not_found");
    }

    [Fact]
    public async Task Names_are_exact_and_those_that_are_not_UTF_8_say_so()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"cd {directory}; touch $'new\\nline' 'quo\"te' 'ünï☃' $'bad\\xffname' $(printf 'n%.0s' $(seq 255)); mkdir $'\\xfe'; touch $'\\xfe/inside'");

        var entries = await sandbox.ListAsync(directory, 2);

        entries.Where(entry => entry.Addressable is null).Select(entry => entry.Name).Order(StringComparer.Ordinal)
            .ShouldBe(["new\nline", new string('n', 255), "quo\"te", "ünï☃"]);
        entries.Where(entry => entry.Addressable == false).Select(entry => entry.Name).Order(StringComparer.Ordinal).ShouldBe(["bad\uFFFDname", "inside", "\uFFFD"]);
        foreach (var entry in entries.Where(entry => entry.Addressable is null))
            await FileSandbox.SucceedAsync(sandbox.GetAsync(entry.Path), 200);
    }

    [Fact]
    public async Task A_hundred_thousand_entries_are_listed_without_being_held()
    {
        const int files = 100_000;
        await sandbox.ShellAsync($"mkdir /disk/many; cd /disk/many; perl -e 'for (1..{files}) {{ open F, \">\", \"file-$_\" or die }}'");

        var before = sandbox.ForgetPeak();
        using var first = await sandbox.SendAsync(HttpMethod.Get, "/list", "/disk/many");
        await using (var body = await first.Content.ReadAsStreamAsync())
        {
            var entries = JsonSerializer.DeserializeAsyncEnumerable(body, ContractsJsonContext.Default.FileEntry);
            var names = new HashSet<string>();
            await foreach (var entry in entries)
                names.Add(entry!.Name).ShouldBeTrue();
            names.Count.ShouldBe(files);
        }

        (sandbox.PeakMebibytes - before).ShouldBeLessThan(FileSandbox.OwnMebibytes);
        await FileSandbox.SucceedAsync(sandbox.SendAsync(HttpMethod.Delete, "?recursive=true", "/disk/many"));
        (await sandbox.ShellAsync("ls /disk")).ShouldNotContain("many");
    }

    [Fact]
    public async Task The_root_is_listed_without_what_the_kernel_shows_of_processes()
    {
        var entries = await sandbox.ListAsync("/", 2);

        entries.ShouldContain(entry => entry.Path == "/proc");
        entries.ShouldNotContain(entry => entry.Path.StartsWith("/proc/", StringComparison.Ordinal));
        entries.ShouldContain(entry => entry.Path == "/usr/bin");
    }
}
