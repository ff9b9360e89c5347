using System.Text;
using DonkeyWork.CodeSandbox.Server.Executions;

namespace DonkeyWork.CodeSandbox.Server.Tests;

public sealed class OomCounterTests
{
    [Theory]
    [InlineData("low 0\nhigh 3\nmax 12\noom 4\noom_kill 2\noom_group_kill 0\n", 2)]
    [InlineData("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n", 7)]
    [InlineData("oom_kill 9", 9)]
    [InlineData("oom_kill_disable 1\nunder_oom 0\n", null)]
    [InlineData("oom_kill \n", null)]
    [InlineData("oom_kill 3x\n", null)]
    [InlineData("", null)]
    public void The_counter_is_read_from_files_of_both_cgroup_versions(string text, int? expected) =>
        OomCounter.Parse(Encoding.ASCII.GetBytes(text)).ShouldBe(expected);
}
