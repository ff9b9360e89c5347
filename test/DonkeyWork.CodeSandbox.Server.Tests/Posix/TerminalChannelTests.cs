using System.Diagnostics;
using System.Text;
using DonkeyWork.CodeSandbox.Server.Posix;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Posix;

/// <summary>A terminal of ours with a real program in it, put there by setsid(1) as the executor's spawner does.</summary>
public sealed class TerminalChannelTests
{
    [Fact]
    public async Task A_program_finds_the_size_from_its_start_and_hears_of_changes()
    {
        using var channels = ProcessChannels.Terminal(132, 43);
        using var program = Start(channels, "bash", "-c", "trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.01; done");
        await ReadUntilAsync(channels, "43 132\r\n");

        channels.Resize(65535, 1);

        await ReadUntilAsync(channels, "1 65535\r\n");
    }

    [Fact]
    public async Task An_interactive_shell_has_job_control_and_Ctrl_C()
    {
        using var channels = ProcessChannels.Terminal(80, 24);
        using var program = Start(channels, "bash", "--norc", "--noprofile", "-i");
        await TypeAsync(channels, "PS1=; echo re''ady\n");
        var greeting = await ReadUntilAsync(channels, "ready\r\n");
        greeting.ShouldNotContain("no job control");

        await TypeAsync(channels, "sleep 1000\n");
        await ReadUntilAsync(channels, "sleep 1000\r\n");
        await Published.EventuallyAsync(() => Foreground(channels) is { } pid && CommandOf(pid) == "sleep 1000 ", "sleep is not in the foreground");
        await TypeAsync(channels, "\u001a");
        await ReadUntilAsync(channels, "Stopped");
        await TypeAsync(channels, "fg\n");
        await Published.EventuallyAsync(() => Foreground(channels) is { } pid && CommandOf(pid) == "sleep 1000 ", "sleep is not back");
        await TypeAsync(channels, "\u0003");
        await TypeAsync(channels, "echo $?-''-\n");
        await ReadUntilAsync(channels, "130--");

        // Erasing takes a whole character.
        await TypeAsync(channels, "cat\n");
        await Published.EventuallyAsync(() => Foreground(channels) is { } pid && CommandOf(pid) == "cat ", "cat is not there");
        await TypeAsync(channels, "aé\u007fb\n");
        await ReadUntilAsync(channels, "\nab\r\n");
    }

    [Fact]
    public async Task The_last_output_comes_before_the_end_however_it_is_read()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 20; round++)
        {
            using var channels = ProcessChannels.Terminal(80, 24);
            var count = random.Next(1, 60_000);
            using var program = Start(channels, "bash", "-c", $"stty raw; head -c {count} /dev/zero | tr '\\0' x; printf end");
            channels.CloseChildEnds();
            var all = new StringBuilder();
            var buffer = new byte[random.Next(1, 9000)];
            int length;
            while ((length = await channels.Output.ReadAsync(buffer, default).AsTask().WaitAsync(Published.Patience)) > 0)
                all.Append(Encoding.ASCII.GetString(buffer, 0, length));

            all.Length.ShouldBe(count + 3, $"seed {seed}, round {round}");
            all.ToString().ShouldEndWith("end");
        }
    }

    [Fact]
    public async Task What_is_there_when_the_leader_has_ended_can_be_read_while_another_keeps_the_terminal()
    {
        using var channels = ProcessChannels.Terminal(80, 24);
        using var program = Start(channels, "bash", "-c", "stty raw; head -c 3000 /dev/zero | tr '\\0' x; trap '' HUP; sleep 1000 & echo $! >&2");
        channels.CloseChildEnds();
        await program.WaitForExitAsync().WaitAsync(Published.Patience);
        var text = new StringBuilder();
        var buffer = new byte[100];
        try
        {
            while (true)
                text.Append(Encoding.ASCII.GetString(buffer, 0, await channels.Output.ReadAsync(buffer, new CancellationToken(canceled: true))));
        }
        catch (OperationCanceledException)
        {
            // Nothing is left.
        }

        text.ToString(0, 3000).ShouldBe(new string('x', 3000));
        var sleeper = Process.GetProcessById(int.Parse(text.ToString(3000, text.Length - 3000), null));
        sleeper.Kill();
        (await channels.Output.ReadAsync(buffer, default).AsTask().WaitAsync(Published.Patience)).ShouldBe(0);
    }

    [Fact]
    public async Task A_terminal_that_is_closed_hangs_up()
    {
        var channels = ProcessChannels.Terminal(80, 24);
        using var program = Start(channels, "bash", "-c", "echo ready; sleep 1000");
        channels.CloseChildEnds();
        await ReadUntilAsync(channels, "ready\r\n");

        channels.Dispose();

        await program.WaitForExitAsync().WaitAsync(Published.Patience);
        program.ExitCode.ShouldBe(128 + 1);
    }

    private static Process Start(ProcessChannels channels, params string[] command)
    {
        var program = Process.Start(new ProcessStartInfo(
            "bash", ["-c", $"exec 0<>{NameOf(channels)} 3>&1 >&0 2>&0; echo open >&3; exec 3>&-; exec setsid --ctty --wait \"$@\"", "bash", .. command])
        {
            RedirectStandardOutput = true,
        })!;
        // From here on it has the terminal open, as a child of the executor has.
        program.StandardOutput.ReadLine().ShouldBe("open");
        return program;
    }

    private static string NameOf(ProcessChannels channels) => new FileInfo($"/proc/self/fd/{channels.ChildInput}").LinkTarget!;

    /// <summary>The foreground process group, from the 8th field of the shell's stat: proc_pid_stat(5).</summary>
    private static int? Foreground(ProcessChannels channels)
    {
        var number = int.Parse(NameOf(channels)["/dev/pts/".Length..], null);
        foreach (var directory in Directory.GetDirectories("/proc"))
        {
            try
            {
                if (!int.TryParse(Path.GetFileName(directory), out _))
                    continue;
                var stat = File.ReadAllText($"{directory}/stat");
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                // Major 136 and the number: devpts(4).
                if (fields[4] == $"{(136 << 8) | number}")
                    return int.Parse(fields[5], null);
            }
            catch (IOException)
            {
                // It has ended.
            }
        }

        return null;
    }

    private static string CommandOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' ');
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static async Task TypeAsync(ProcessChannels channels, string text)
    {
        ReadOnlyMemory<byte> bytes = Encoding.UTF8.GetBytes(text);
        while (!bytes.IsEmpty)
            bytes = bytes[await channels.Input!.WriteAsync(bytes, default)..];
    }

    private static async Task<string> ReadUntilAsync(ProcessChannels channels, string text)
    {
        using var patience = new CancellationTokenSource(Published.Patience);
        var all = new StringBuilder();
        var buffer = new byte[4096];
        try
        {
            while (!all.ToString().Contains(text, StringComparison.Ordinal))
            {
                var count = await channels.Output.ReadAsync(buffer, patience.Token);
                count.ShouldBeGreaterThan(0, $"the end came after: {all}");
                all.Append(Encoding.UTF8.GetString(buffer, 0, count));
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"'{text}' is not in: {all}");
        }

        return all.ToString();
    }
}
