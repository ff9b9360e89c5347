using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>
/// What a command cannot do. Each probe prints REACHED when it succeeds, and runs three times: in a sandbox and in a bare
/// container of the same configuration, where it must not, and in that container less the guards that stop it, where it must.
/// </summary>
[Collection(SharedManagerCollection.Name)]
public sealed class IsolationTests(SharedManager shared)
{
    [Fact]
    public Task The_hosts_password_file_cannot_be_read() => Check(
        "grep -q '^root:' /etc/shadow && echo REACHED",
        config =>
        {
            config.WithMount("/etc", "/etc");
            config.WithoutNamespace("user");
            config.AsRoot();
        });

    [Theory]
    [InlineData("/root")]
    [InlineData("/home")]
    [InlineData("/var")]
    [InlineData("/opt")]
    public async Task The_hosts_files_cannot_be_read(string place)
    {
        var marker = Path.Combine(place, $"codesandbox-probe-{Guid.NewGuid():N}");
        await File.WriteAllTextAsync(marker, "secret");
        try
        {
            await Check(
                $"grep -q secret {marker} && echo REACHED",
                config =>
                {
                    config.WithMount(place, place);
                    // The executor lies below /opt; the control does not need it.
                    config.WithoutMount("/opt/codesandbox");
                    config.WithoutNamespace("user");
                    config.AsRoot();
                });
        }
        finally
        {
            File.Delete(marker);
        }
    }

    [Fact]
    public async Task The_hosts_processes_cannot_be_seen()
    {
        var marker = $"codesandbox-probe-{Guid.NewGuid():N}";
        using var process = Process.Start(new ProcessStartInfo("/bin/bash", ["-c", "read", marker]) { RedirectStandardInput = true })!;
        try
        {
            // As a pattern that does not match itself: the probe's own processes are seen too.
            await Check(
                $"cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -qx '[{marker[0]}]{marker[1..]}' && echo REACHED",
                config =>
                {
                    config.WithoutNamespace("pid");
                    config.WithoutNamespace("user");
                });
        }
        finally
        {
            process.StandardInput.Close();
            await process.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task The_hosts_network_cannot_be_reached()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await Check(
            $"(: </dev/tcp/127.0.0.1/{((IPEndPoint)listener.LocalEndpoint).Port}) && echo REACHED",
            config =>
            {
                config.WithoutNamespace("network");
                config.WithoutMount("/sys");
            });
    }

    [Fact]
    public Task Nothing_can_be_mounted() => Check(
        "python3 -c 'import ctypes; c=ctypes.CDLL(None); print(\"REACHED\" if c.mount(b\"x\", b\"/tmp\", b\"tmpfs\", 0, None) == 0 else \"\")'",
        config =>
        {
            config.WithoutSeccomp();
            config.WithCapability("CAP_SYS_ADMIN");
            config.AsRoot();
        });

    [Fact]
    public Task No_further_user_namespace_can_be_made() => Check(
        "unshare --user --map-root-user true && echo REACHED", config => config.WithoutSeccomp());

    [Fact]
    public Task No_program_gives_more_rights() => Check(
        "grep -q 'NoNewPrivs:.0' /proc/self/status && echo REACHED",
        config => config["process"]!["noNewPrivileges"] = false);

    [Fact]
    public Task The_first_processes_environment_cannot_be_read() => Check(
        "grep -q . /proc/1/environ && echo REACHED", AnOrdinaryFirstProcess);

    [Fact]
    public Task The_first_processes_memory_cannot_be_opened() => Check(
        "(exec 3</proc/1/mem) && echo REACHED", AnOrdinaryFirstProcess);

    [Fact]
    public Task The_first_processes_descriptors_cannot_be_seen() => Check(
        "ls /proc/1/fd/ | grep -q . && echo REACHED", AnOrdinaryFirstProcess);

    // PTRACE_SEIZE, which unlike PTRACE_ATTACH does not stop the process (ptrace(2)).
    [Fact]
    public Task The_first_process_cannot_be_traced() => Check(
        "python3 -c 'import ctypes; c=ctypes.CDLL(None); print(\"REACHED\" if c.ptrace(0x4206, 1, 0, 0) == 0 else \"\")' 2>&1",
        AnOrdinaryFirstProcess);

    [Fact]
    public Task Memory_ends_where_the_limit_is() => Check(
        "python3 -c 'b = bytearray(700 << 20); print(\"REACHED\")'",
        config =>
        {
            config["linux"]!["resources"]!["memory"]!["limit"] = 1L << 30;
            config["linux"]!["resources"]!["memory"]!["swap"] = 1L << 30;
        });

    [Fact]
    public Task Processes_end_where_the_limit_is() => Check(
        "python3 -c 'import os,time\nfor _ in range(300):\n  if os.fork() == 0: time.sleep(3600)\nprint(\"REACHED\")' 2>/dev/null; exit",
        config => config["linux"]!["resources"]!["pids"]!["limit"] = 600);

    [Fact]
    public async Task The_home_ends_where_its_size_is()
    {
        var elsewhere = Directory.CreateTempSubdirectory("codesandbox-control-home-");
        try
        {
            File.SetUnixFileMode(elsewhere.FullName, (UnixFileMode)0b111_111_111);
            await Check("fallocate -l 1100M ~/big && echo REACHED", config => config.WithMount(elsewhere.FullName, "/home/user"));
        }
        finally
        {
            elsewhere.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task What_fills_the_home_is_not_charged_to_memory()
    {
        await using var sandbox = await shared.Client.CreateAsync();
        var result = await sandbox.RunAsync("head -c 900M /dev/zero > ~/big && stat -c %s ~/big");
        result.StandardOutput.ShouldBe($"{900L << 20}\n", result.StandardError);
    }

    [Fact]
    public async Task Nothing_of_the_executors_own_reaches_a_command()
    {
        await using var sandbox = await shared.Client.CreateAsync();
        var seen = await sandbox.RunAsync("env; cat /proc/1/cmdline | tr '\\0' ' '; ls -l /proc/self/fd");
        seen.StandardOutput.ShouldNotContain("CODESANDBOX_");
        seen.StandardOutput.ShouldNotContain("socket:");
        seen.StandardOutput.ShouldNotMatch("[0-9a-f]{64}");
    }

    [Fact]
    public async Task Sixty_four_signals_to_the_executor_change_nothing()
    {
        await using var sandbox = await shared.Client.CreateAsync();
        var executor = HostProcesses.ExecutorOf(sandbox.Name).Pid;

        var sent = await sandbox.RunAsync("n=0; for s in {1..64}; do kill -$s 1 && n=$((n+1)); for t in /proc/1/task/*; do kill -$s ${t##*/} 2>/dev/null; done; done; echo $n");

        int.Parse(sent.StandardOutput).ShouldBeGreaterThan(60, sent.StandardError);
        (await sandbox.RunAsync("echo alive")).StandardOutput.ShouldBe("alive\n");
        HostProcesses.ExecutorOf(sandbox.Name).Pid.ShouldBe(executor);
    }

    /// <summary>
    /// Takes the executor's guard (it is not dumpable) out: the container's first process is an ordinary program of the same
    /// user. It waits for the probe, which runs beside it as a command would.
    /// </summary>
    private static void AnOrdinaryFirstProcess(JsonNode config)
    {
        var script = (string)config["process"]!["args"]![2]!;
        config["process"]!["args"] = new JsonArray("/bin/bash", "-c", "bash -c \"$1\"; exit", "first", script);
    }

    private async Task Check(string probe, Action<JsonNode> withoutGuards)
    {
        await using var sandbox = await shared.Client.CreateAsync();

        (await sandbox.RunAsync(probe)).StandardOutput.ShouldNotContain("REACHED");

        // The bare container's first process is the probe itself, so it tells nothing of what guards the executor.
        if (withoutGuards != AnOrdinaryFirstProcess)
        {
            (await BareContainer.RunAsync(shared.Manager, sandbox.Name, probe)).Output.ShouldNotContain("REACHED");
        }

        var control = await BareContainer.RunAsync(shared.Manager, sandbox.Name, probe, withoutGuards);
        control.Output.ShouldContain("REACHED", customMessage: $"The control must succeed: {control.Error}");
    }
}
