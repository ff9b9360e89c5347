using DonkeyWork.CodeSandbox.Local.Cgroups;
using DonkeyWork.CodeSandbox.Local.Posix;

namespace DonkeyWork.CodeSandbox.Local.Host;

/// <summary>The control group that systemd has delegated to an ordinary user's service or scope (systemd's CGROUP_DELEGATION.md).</summary>
internal static class DelegatedGroup
{
    private const string Remedy = "start it as systemd-run --user --scope -p Delegate=yes ./run.sh, or as root";

    /// <summary>Its path in the v2 hierarchy; otherwise why there is none, with the remedy.</summary>
    public static string? Find(CgroupMounts mounts, out string? reason)
    {
        if (mounts.Version2 is null || !mounts.ControllersInVersion2)
        {
            reason = "an ordinary user needs cgroup v2 with the memory, cpu and pids controllers, and this machine's are not all in it; run as root, or boot with systemd.unified_cgroup_hierarchy=1";
            return null;
        }

        var own = File.ReadLines("/proc/self/cgroup").First(line => line.StartsWith("0::", StringComparison.Ordinal))[3..];
        if (Path.GetFileName(own) == CgroupTree.ManagersGroup)
            own = Path.GetDirectoryName(own)!;
        var directory = Path.Combine(mounts.Version2, own[1..]);
        const int Writable = 2;
        if (own == "/" || ((string[])["", "cgroup.procs", "cgroup.subtree_control"]).Any(name => LibC.Access(Path.Combine(directory, name), Writable) < 0))
        {
            reason = $"the control group {own} is not delegated to this user; {Remedy}";
            return null;
        }

        var controllers = File.ReadAllText(Path.Combine(directory, "cgroup.controllers")).Split((char[])[' ', '\n']);
        var absent = ((string[])["memory", "cpu", "pids"]).Except(controllers).ToList();
        if (absent.Count > 0)
        {
            reason = $"the control group {own} has no controller for {string.Join(", ", absent)}; {Remedy}. Where it lacks them even so, users are not given them: set Delegate=cpu memory pids for user@.service";
            return null;
        }

        reason = null;
        return own;
    }
}
