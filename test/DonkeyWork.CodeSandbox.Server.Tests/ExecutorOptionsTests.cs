using System.Net;

namespace DonkeyWork.CodeSandbox.Server.Tests;

public sealed class ExecutorOptionsTests
{
    [Fact]
    public void Without_options_it_serves_on_its_port() =>
        ExecutorOptions.Parse([]).ShouldBe(new ExecutorOptions { Listen = new ListenAddress { Port = 8666 } });

    [Fact]
    public void Every_option_is_read()
    {
        var options = ExecutorOptions.Parse(
            ["--listen", "tcp:127.0.0.1:80", "--cgroup", "fd:4", "--oom-events", "/sys/events", "--tasks-limit", "256"]);

        options.Listen.ShouldBe(new ListenAddress { Address = IPAddress.Loopback, Port = 80 });
        options.Cgroup.ShouldBe(new FileReference(null, 4));
        options.OomEvents.ShouldBe(new FileReference("/sys/events", -1));
        options.TasksLimit.ShouldBe(256);
    }

    [Theory]
    [InlineData("unix:/run/x:y.sock", "unix:/run/x:y.sock")]
    [InlineData("fd:3", "fd:3")]
    [InlineData("tcp:[::1]:9", "tcp:[::1]:9")]
    [InlineData("tcp:9", "tcp:9")]
    public void Addresses_are_read(string value, string expected) =>
        ListenAddress.Parse(value).ToString().ShouldBe(expected);

    [Theory]
    [InlineData("--listen")]
    [InlineData("--listen", "")]
    [InlineData("--listen", "8666")]
    [InlineData("--listen", "tcp:65536")]
    [InlineData("--listen", "tcp:-1")]
    [InlineData("--listen", "tcp:127.0.0.1")]
    [InlineData("--listen", "fd:x")]
    [InlineData("--listen", "unix:")]
    [InlineData("--cgroup", "fd:")]
    [InlineData("--tasks-limit", "24")]
    [InlineData("--tasks-limit", "many")]
    [InlineData("--port", "1")]
    [InlineData("serve")]
    public void What_cannot_be_understood_is_refused(params string[] arguments) =>
        Should.Throw<UsageException>(() => ExecutorOptions.Parse(arguments));
}
