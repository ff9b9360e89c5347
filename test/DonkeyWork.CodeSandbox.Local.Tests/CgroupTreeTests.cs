using System.Diagnostics;
using DonkeyWork.CodeSandbox.Local.Cgroups;

namespace DonkeyWork.CodeSandbox.Local.Tests;

public sealed class CgroupTreeTests
{
    [Fact]
    public async Task A_group_is_vacated_so_that_it_can_hand_controllers_down()
    {
        var group = Directory.CreateDirectory(Path.Combine(CgroupMounts.Read().Version2!, $"codesandbox-test-{Guid.NewGuid():N}")).FullName;
        var manager = Path.Combine(group, CgroupTree.ManagersGroup);
        using var process = Process.Start("sleep", ["infinity"]);
        try
        {
            await File.WriteAllTextAsync(Path.Combine(group, "cgroup.procs"), $"{process.Id}");

            CgroupTree.Vacate(group);

            (await File.ReadAllTextAsync(Path.Combine(group, "cgroup.procs"))).ShouldBeEmpty();
            (await File.ReadAllTextAsync(Path.Combine(manager, "cgroup.procs"))).ShouldBe($"{process.Id}\n");
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
            Directory.Delete(manager);
            Directory.Delete(group);
        }
    }
}
