using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>What the kernel counts for the host as a whole, or for the user who runs the Manager: no sandbox takes it all.</summary>
public sealed class SharedCounterTests(LocalMachine machine) : IClassFixture<LocalMachine>, IAsyncLifetime
{
    private Sandbox _sandbox = null!;

    public async Task InitializeAsync() => _sandbox = await machine.Backend.CreateReadyAsync();

    public Task DisposeAsync() => machine.Backend.DeleteGoneAsync(_sandbox);

    [Theory]
    [InlineData("Max open files", "4096")]
    [InlineData("Max pending signals", "1024")]
    [InlineData("Max msgqueue size", "0")]
    public void The_executor_is_bounded_and_so_is_everything_below_it(string name, string hard) =>
        File.ReadLines($"/proc/{HostView.ExecutorOf(_sandbox.Name)}/limits").Single(line => line.StartsWith(name, StringComparison.Ordinal))[name.Length..]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1].ShouldBe(hard);

    [Fact]
    public async Task A_command_starts_with_as_many_files_as_any_other_and_may_have_more() =>
        (await machine.Backend.RunAsync(_sandbox, "ulimit -Sn; ulimit -Hn; ulimit -Hi; ulimit -Hq")).Output.ShouldBe("1024\n4096\n512\n0\n");

    [Fact]
    public async Task Signals_are_queued_up_to_the_limit_and_the_executor_goes_on()
    {
        const string Fill = """
            import ctypes, os, signal
            signal.pthread_sigmask(signal.SIG_BLOCK, [40])
            queue = ctypes.CDLL(None, use_errno=True).sigqueue
            queued = 0
            while queue(os.getpid(), 40, None) == 0: queued += 1
            print(queued <= 512)
            """;

        (await machine.Backend.RunAsync(_sandbox, $"python3 -c '{Fill}'; echo ended")).Output.ShouldBe("True\nended\n");
        (await machine.Backend.RunAsync(_sandbox, "echo next")).Output.ShouldBe("next\n");
    }

    [Fact]
    public async Task There_are_no_more_terminals_than_a_sandbox_needs() =>
        (await machine.Backend.RunAsync(_sandbox, """
            python3 -c '
            import os
            opened = []
            try:
                while True: opened.append(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))
            except OSError as refused: print(len(opened), refused.strerror)'
            """)).Output.ShouldBe("64 No space left on device\n");

    [Theory]
    [InlineData("inotify_init1", "lambda l: l.inotify_init1(0)")]
    [InlineData("io_setup", "lambda l: l.syscall(206 if __import__(\"platform\").machine() == \"x86_64\" else 0, 8, ctypes.byref(ctypes.c_ulong()))")]
    public async Task What_is_counted_for_the_host_is_as_if_the_kernel_had_it_not(string name, string call)
    {
        var attempt = $"python3 -c 'import ctypes, os; l = ctypes.CDLL(None, use_errno=True); r = ({call})(l); print(os.strerror(ctypes.get_errno()) if r < 0 else \"done\")'";
        var probe = await machine.Backend.RunAsync(_sandbox, attempt);
        var control = await BareContainer.RunAsync(machine, _sandbox.Name, attempt, config => config["linux"]!.AsObject().Remove("seccomp"));

        probe.Output.ShouldBe("Function not implemented\n", name);
        control.Output.ShouldBe("done\n", name);
    }
}
