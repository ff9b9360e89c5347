using System.ComponentModel.DataAnnotations;
using DonkeyWork.CodeSandbox.Local.Cgroups;
using DonkeyWork.CodeSandbox.Local.Host;

namespace DonkeyWork.CodeSandbox.Local.Tests;

public sealed class HostRequirementsTests
{
    [Fact]
    public async Task Everything_that_is_missing_is_told_at_once_with_its_remedy()
    {
        var refused = await Should.ThrowAsync<HostRequirementsException>(() => LocalMachine.StartAsync(
            options: options => options with { Runtime = "/nowhere/runc", ExecutorDirectory = "/nowhere", RootFs = "/etc" }));

        refused.Missing.Count.ShouldBe(3);
        refused.Message.ShouldContain("apt-get install runc");
        refused.Message.ShouldContain("build/publish-executor.sh");
        refused.Message.ShouldContain("mkdir -p /etc/proc");
    }

    [Fact]
    public async Task A_state_directory_that_sandboxes_cannot_reach_is_refused()
    {
        var closed = Directory.CreateTempSubdirectory("codesandbox-test-");
        try
        {
            var directory = Path.Combine(closed.FullName, "state");
            var refused = await Should.ThrowAsync<HostRequirementsException>(() => LocalMachine.StartAsync(directory));

            refused.Message.ShouldContain($"chmod o+x {closed.FullName}");
        }
        finally
        {
            closed.Delete(recursive: true);
        }
    }

    [Fact]
    public void Both_layouts_of_control_groups_are_understood()
    {
        var hybrid = CgroupMounts.Parse(
            [
                "34 25 0:28 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755",
                "35 34 0:29 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw,nsdelegate",
                "36 34 0:30 / /sys/fs/cgroup/systemd rw shared:11 - cgroup cgroup rw,xattr,name=systemd",
                "37 34 0:31 / /sys/fs/cgroup/memory rw shared:12 - cgroup cgroup rw,memory",
                "38 34 0:32 / /sys/fs/cgroup/cpu,cpuacct rw shared:13 - cgroup cgroup rw,cpu,cpuacct",
                "39 34 0:33 / /sys/fs/cgroup/pids rw shared:14 - cgroup cgroup rw,pids",
            ],
            path => path == "/sys/fs/cgroup/unified/cgroup.controllers" ? "\n" : throw new FileNotFoundException(path));
        var unified = CgroupMounts.Parse(
            ["35 25 0:29 / /sys/fs/cgroup rw,nosuid,nodev - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot"],
            _ => "cpuset cpu io memory hugetlb pids rdma misc\n");
        var bare = CgroupMounts.Parse(["35 25 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"], _ => "cpu\n");

        (hybrid.ControllersInVersion2, hybrid.Version2, hybrid.Memory).ShouldBe((false, "/sys/fs/cgroup/unified", "/sys/fs/cgroup/memory"));
        hybrid.All.ShouldBe(
            ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified"], ignoreOrder: true);
        hybrid.Missing.ShouldBeEmpty();
        (unified.ControllersInVersion2, unified.Version2).ShouldBe((true, "/sys/fs/cgroup"));
        unified.All.ShouldBe(["/sys/fs/cgroup"]);
        bare.Missing.ShouldBe(["memory", "cpu", "pids"]);
    }

    [Theory]
    [InlineData("docker")]
    [InlineData("../runc")]
    public void Only_runtimes_that_are_known_can_be_configured(string runtime)
    {
        var faults = new List<ValidationResult>();
        var options = new LocalOptions { Runtime = runtime, HomeSizeMi = 1, PidsLimit = 1, StateDirectory = "here" };

        Validator.TryValidateObject(options, new ValidationContext(options), faults, validateAllProperties: true).ShouldBeFalse();

        faults.SelectMany(fault => fault.MemberNames).ShouldBe(["Runtime", "HomeSizeMi", "PidsLimit", "StateDirectory"], ignoreOrder: true);
    }
}
