namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>What the Manager shares with everything else on the host.</summary>
[Collection(SharedManagerCollection.Name)]
public sealed class SharedResourcesTests(SharedManager shared)
{
    [Fact]
    public void The_Manager_needs_no_inotify_instance_of_which_others_may_have_left_none()
    {
        var open = Directory.EnumerateFileSystemEntries($"/proc/{shared.Manager.Pid}/fd").Select(path => new FileInfo(path).LinkTarget).ToList();

        open.ShouldContain("anon_inode:[eventpoll]", "the control: descriptors of this kind are seen");
        open.ShouldNotContain("anon_inode:inotify");
    }
}
