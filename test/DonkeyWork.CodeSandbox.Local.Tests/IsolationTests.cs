using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>What the host's own tables say about a sandbox, and what commands inside try in vain.</summary>
public sealed class IsolationTests(LocalMachine machine) : IClassFixture<LocalMachine>, IAsyncLifetime
{
    private static readonly string[] Namespaces = ["user", "pid", "mnt", "ipc", "uts", "net", "cgroup"];
    private Sandbox _sandbox = null!;
    private int _executor;

    public async Task InitializeAsync()
    {
        _sandbox = await machine.Backend.CreateReadyAsync();
        _executor = HostView.ExecutorOf(_sandbox.Name);
    }

    public Task DisposeAsync() => machine.Backend.DeleteGoneAsync(_sandbox);

    [Fact]
    public void Its_executor_has_no_rights_on_the_host()
    {
        foreach (var set in (string[])["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
            HostView.Status(_executor, set).ShouldBe("0000000000000000", set);
        HostView.Status(_executor, "NoNewPrivs").ShouldBe("1");
        HostView.Status(_executor, "Seccomp").ShouldBe("2");
        var map = File.ReadAllText($"/proc/{_executor}/uid_map").Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var first = uint.Parse(map[1], null);
        (map[0], map[2]).ShouldBe(("0", "2048"));
        first.ShouldBeGreaterThanOrEqualTo(0x7000_0000u);
        File.ReadAllText($"/proc/{_executor}/gid_map").ShouldBe(File.ReadAllText($"/proc/{_executor}/uid_map"));
        HostView.Status(_executor, "Uid").Split('\t').ShouldAllBe(id => id == $"{first + 1000}");
        HostView.Status(_executor, "Gid").Split('\t').ShouldAllBe(id => id == $"{first + 1000}");
        HostView.Status(_executor, "Groups").ShouldBeEmpty();
        File.ReadAllLines($"/proc/{_executor}/limits").Single(line => line.StartsWith("Max core file size", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[4].ShouldBe("0");
    }

    [Fact]
    public async Task It_shares_no_namespace_and_no_user_with_the_host_or_another_sandbox()
    {
        var other = await machine.Backend.CreateReadyAsync();
        var pids = (int[])[_executor, HostView.ExecutorOf(other.Name), Environment.ProcessId];

        foreach (var type in Namespaces)
            pids.Select(pid => new FileInfo($"/proc/{pid}/ns/{type}").LinkTarget).Distinct().Count().ShouldBe(3, type);
        pids.Select(pid => HostView.Status(pid, "Uid")).Distinct().Count().ShouldBe(3);

        await machine.Backend.DeleteGoneAsync(other);
    }

    [Fact]
    public async Task Nothing_of_the_host_but_usr_and_what_it_links_into_can_be_seen()
    {
        const string Secret = "codesandbox-secret-of-the-host";
        await File.WriteAllTextAsync($"/tmp/{Secret}", "x");
        try
        {
            var probe = await machine.Backend.RunAsync(_sandbox, $"""
                cat /etc/shadow /tmp/{Secret} /root/.bashrc {machine.Directory}/secret
                ls -A /home /root /sys /mnt /proc/1/root
                ps -e -o args= 2>/dev/null | grep -v -e executor -e ps -e bash -e grep
                """);

            probe.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Where(line => !line.Contains("No such file", StringComparison.Ordinal) && !line.Contains("ermission denied", StringComparison.Ordinal))
                .ShouldBe(["/home:", "user", "/mnt:", "/root:", "/sys:"], ignoreOrder: true);
            (await HostView.RunAsync("cat", $"/tmp/{Secret}")).Output.ShouldBe("x", "the control: the host can read it");
        }
        finally
        {
            File.Delete($"/tmp/{Secret}");
        }
    }

    [Fact]
    public async Task What_is_shared_cannot_be_written()
    {
        var probe = await machine.Backend.RunAsync(_sandbox, """
            for place in / /usr /usr/bin /etc /opt/codesandbox /proc/sys/kernel /dev; do
                touch $place/probe 2>/dev/null && echo "$place is writable"
            done
            for place in ~ /tmp /dev/shm; do touch $place/probe || echo "$place is not writable"; done
            echo done
            """);

        probe.Output.ShouldBe("done\n");
    }

    [Theory]
    [InlineData("unshare --user true")]
    [InlineData("unshare --user --mount true")]
    [InlineData("python3 -c 'import ctypes,os; l=ctypes.CDLL(None,use_errno=True); os._exit(0 if l.syscall(56, 0x10000000|17, 0, 0, 0, 0)>=0 else 1)'")]
    [InlineData("python3 -c 'import socket; socket.socket(socket.AF_VSOCK)'")]
    [InlineData("python3 -c 'import ctypes,os; l=ctypes.CDLL(None,use_errno=True); os._exit(0 if l.syscall(425, 1, (ctypes.c_char*120)())>=0 else 1)'")]
    public async Task Seccomp_refuses_what_the_same_container_without_it_may_do(string attempt)
    {
        var probe = await machine.Backend.RunAsync(_sandbox, attempt);
        var control = await BareContainer.RunAsync(machine, _sandbox.Name, attempt, config => config["linux"]!.AsObject().Remove("seccomp"));

        probe.ExitCode.ShouldNotBe(0);
        control.ExitCode.ShouldBe(0, control.Output);
    }

    [Fact]
    public async Task Ordinary_programs_work()
    {
        var probe = await machine.Backend.RunAsync(_sandbox, """
            set -e
            python3 -c 'import ssl, socket, multiprocessing; multiprocessing.Pool(2).map(abs, [1]); print("python", ssl.create_default_context().cert_store_stats()["x509"] > 0)'
            node -e 'setTimeout(() => console.log("node"), 1)'
            cd ~ && git init -q repo && cd repo && git -c user.name=a -c user.email=b commit -q --allow-empty -m x && git log --format=%s
            printf 'int main(){return 7;}' > a.c && gcc a.c -o a && { ./a || echo "gcc $?"; }
            mkfifo /tmp/pipe && (echo through > /tmp/pipe & cat /tmp/pipe)
            id -un; echo $HOME; pwd -P >/dev/null; cat /etc/hostname
            """);

        probe.Output.ShouldBe($"python True\nnode\nx\ngcc 7\nthrough\nuser\n/home/user\n{_sandbox.Name}\n");
    }
}
