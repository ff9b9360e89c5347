using DonkeyWork.CodeSandbox.Local.Posix;

namespace DonkeyWork.CodeSandbox.Local.Tests;

public sealed class DescriptorTests
{
    [Fact]
    public async Task From_a_detached_directory_no_path_leads_up_and_from_an_ordinary_one_it_does()
    {
        var directory = Directory.CreateTempSubdirectory("codesandbox-test-");
        try
        {
            using var ordinary = Descriptors.Directory(directory.FullName);
            using var detached = Descriptors.DetachedDirectory(directory.FullName);

            // By another program: .NET takes the dots out of a path before it asks the kernel.
            (await HostView.RunAsync("cat", $"/proc/{Environment.ProcessId}/fd/{ordinary.DangerousGetHandle()}/../../etc/passwd")).Output.ShouldContain("root:");
            (await HostView.RunAsync("cat", $"/proc/{Environment.ProcessId}/fd/{detached.DangerousGetHandle()}/../../etc/passwd")).Output.ShouldNotContain("root:");
            await File.WriteAllTextAsync(Path.Combine(Descriptors.PathOf(detached), "file"), "x");
            (await File.ReadAllTextAsync(Path.Combine(directory.FullName, "file"))).ShouldBe("x");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void An_entry_is_never_what_a_link_points_to()
    {
        var directory = Directory.CreateTempSubdirectory("codesandbox-test-");
        try
        {
            File.CreateSymbolicLink(Path.Combine(directory.FullName, "link"), "/etc/passwd");
            File.WriteAllText(Path.Combine(directory.FullName, "file"), "");
            using var opened = Descriptors.Directory(directory.FullName);

            Should.Throw<PosixException>(() => Descriptors.EntryOf(opened, "link"));
            Should.Throw<PosixException>(() => Descriptors.EntryOf(opened, "../.."));
            Descriptors.EntryOf(opened, "file").Dispose();
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
