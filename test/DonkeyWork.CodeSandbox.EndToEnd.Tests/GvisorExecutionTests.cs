using System.Security.Cryptography;
using System.Text;
using DonkeyWork.CodeSandbox.Client;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>A sandbox with gVisor between it and the host's kernel.</summary>
public sealed class GvisorSandbox : IAsyncLifetime
{
    private ManagerProcess _manager = null!;

    internal Sandbox Sandbox { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _manager = await ManagerProcess.StartAsync("--Local:Runtime=runsc");
        Sandbox = await _manager.Client.CreateAsync();
    }

    public async Task DisposeAsync()
    {
        await Sandbox.DisposeAsync();
        await _manager.DisposeAsync();
    }
}

/// <summary>Terminals, files and executions in it.</summary>
public sealed class GvisorExecutionTests(GvisorSandbox gvisor) : IClassFixture<GvisorSandbox>
{
    /// <summary>Three that get away from a process group each in its way, and one that does not.</summary>
    private const string Runaways = "setsid sleep 3600 & (setsid nohup sleep 3600 >/dev/null 2>&1 &); trap '' TERM HUP; env -i sleep 3600 & sleep 3600 &";

    private Sandbox Sandbox => gvisor.Sandbox;

    [Fact]
    public async Task A_terminal_has_a_size_that_changes_and_hanging_up_leaves_nothing()
    {
        await using (var terminal = await Sandbox.OpenTerminalAsync(new TerminalOptions { Columns = 91, Rows = 27 }))
        {
            await terminal.WriteAsync("stty size; tty\r");
            await UntilAsync(terminal.Output, "27 91\r\n/dev/pts/");
            await terminal.ResizeAsync(132, 43);
            await terminal.WriteAsync("stty size\r");
            await UntilAsync(terminal.Output, "43 132\r\n");
            await terminal.WriteAsync($"{Runaways}\r");
            await SleepersAsync(4);
        }

        await SleepersAsync(0);
    }

    [Fact]
    public async Task A_background_execution_outlives_its_caller_takes_input_and_deleting_it_leaves_nothing()
    {
        await using (var execution = await Sandbox.StartAsync($"echo begun; {Runaways} read -r line; echo got $line; read -r line", new StartOptions { Id = "background", OpenStandardInput = true }))
        {
            await UntilAsync(execution.StandardOutput, "begun\n");
        }

        await using var found = Sandbox.GetExecution("background");
        await found.StandardInput.WriteAsync("this\n"u8.ToArray());
        await UntilAsync(found.StandardOutput, "begun\ngot this\n");
        (await found.GetStateAsync()).Status.ShouldBe(ExecutionStatus.Running);
        await SleepersAsync(4);

        await found.DeleteAsync();

        await SleepersAsync(0);
        (await Should.ThrowAsync<CodeSandboxException>(() => Sandbox.StartAsync("true", new StartOptions { Id = "background" }))).Code.ShouldBe(ErrorCodes.ExecutionDeleted);
    }

    [Fact]
    public async Task Ten_megabytes_go_in_and_out_as_they_are()
    {
        var bytes = RandomNumberGenerator.GetBytes(10_000_000);
        var expected = Convert.ToHexStringLower(SHA256.HashData(bytes));

        await Sandbox.Files.WriteAsync("data", bytes);

        (await Sandbox.RunAsync("sha256sum <data")).StandardOutput[..64].ShouldBe(expected);
        Convert.ToHexStringLower(SHA256.HashData(await Sandbox.Files.ReadBytesAsync("data"))).ShouldBe(expected);
    }

    /// <summary>gVisor's processes are its own: the host cannot see them, its /proc inside can.</summary>
    private async Task SleepersAsync(int count)
    {
        var last = "";
        await Patience.UntilAsync(
            async () => (last = (await Sandbox.RunAsync("grep -lx sleep /proc/[0-9]*/comm | wc -l")).StandardOutput) == $"{count}\n",
            () => $"{last} are there and not {count}");
    }

    private static async Task UntilAsync(Stream output, string text)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        var all = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (!all.ToString().Contains(text, StringComparison.Ordinal))
            {
                var count = await output.ReadAsync(buffer, patience.Token);
                count.ShouldBePositive($"the end came after: {all}");
                all.Append(Encoding.UTF8.GetString(buffer, 0, count));
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"\"{text}\" is not in: {all}");
        }
    }
}
