using System.Net.WebSockets;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>A person's shell, through Managers.</summary>
public abstract class TerminalContract(TestService service)
{
    [Fact]
    public async Task It_is_a_real_one_with_a_size_that_changes_and_job_control()
    {
        await using var sandbox = await service.CreateAsync();
        await using var terminal = await TestTerminal.OpenAsync(service.Way, sandbox, "cols=91&rows=27");

        await terminal.RunAsync("stty size; tty; id -un; echo $TERM");
        await terminal.UntilAsync("27 91\r\n/dev/pts/[0-9]+\r\n\\w+\r\nxterm-256color\r\n");
        await terminal.ResizeAsync(132, 43);
        await terminal.TypeAsync("stty size\r");
        await terminal.UntilAsync("43 132\r\n");

        // Stopped by Ctrl+Z, listed, brought back, and ended by Ctrl+C.
        // (Once it says something, the terminal is no longer the line editor's.)
        await terminal.TypeAsync("echo here is $((1)); cat\r");
        await terminal.UntilAsync("here is 1\r\n");
        await terminal.TypeAsync("typed\r");
        await terminal.UntilAsync("typed\r\ntyped\r\n");
        await terminal.TypeAsync("\x1a");
        await terminal.UntilAsync(@"\[1\]\+ +Stopped +.*cat");
        await terminal.TypeAsync("fg\r");
        await terminal.UntilAsync("fg\r\n[^a-z]*(\\[[0-9?]*[a-z]\r?)?cat\r\n");
        await terminal.TypeAsync("again\r");
        await terminal.UntilAsync("again\r\nagain\r\n");
        await terminal.TypeAsync("\x03");
        await terminal.UntilAsync(@"\^C[^^]*\$ $");
        await terminal.TypeAsync("echo then $?\r");
        await terminal.UntilAsync("then 130\r\n");
    }

    [Fact]
    public async Task It_ends_with_its_exit_code_as_the_reason()
    {
        await using var sandbox = await service.CreateAsync();
        await using var terminal = await TestTerminal.OpenAsync(service.Way, sandbox);

        await terminal.TypeAsync("exit 3\r");

        (await terminal.EndAsync()).ShouldBe((WebSocketCloseStatus.NormalClosure, "3"));
        await sandbox.OnlyAsync();
    }

    [Fact]
    public async Task A_named_one_goes_on_through_another_Manager_after_the_first_was_killed()
    {
        await using var sandbox = await service.CreateAsync();
        var way = service.Way;
        await using var first = await TestTerminal.OpenAsync(way, sandbox, "execution=mine&cols=100&rows=30");
        await first.TypeAsync("kept=$((6 * 7)); echo now $kept\r");
        await first.UntilAsync("now 42\r\n");

        await service.KillAsync(way);
        await first.EndAsync();

        await using var second = await TestTerminal.OpenAsync(service.Way, sandbox, "execution=mine");
        // What was on the screen, and the shell that drew it.
        await second.UntilAsync("now 42\r\n");
        await second.TypeAsync("echo still $kept; stty size\r");
        await second.UntilAsync("still 42\r\n30 100\r\n");
    }

    [Fact]
    public async Task Several_show_the_same()
    {
        await using var sandbox = await service.CreateAsync();
        await using var one = await TestTerminal.OpenAsync(service.Way, sandbox, "execution=shared");
        await using var two = await TestTerminal.OpenAsync(service.Way, sandbox, "execution=shared");
        await using var other = await TestTerminal.OpenAsync(service.Way, sandbox, "execution=other");

        await one.TypeAsync("echo from $((1))\r");
        await two.UntilAsync("from 1\r\n");
        await two.TypeAsync("echo from $((2))\r");
        await one.UntilAsync("from 2\r\n");

        await other.TypeAsync("echo from $((3))\r");
        await other.UntilAsync("from 3\r\n");
        one.Screen.ShouldNotContain("from 3");
    }

    [Fact]
    public async Task A_Manager_that_stops_closes_with_1012()
    {
        await using var sandbox = await service.CreateAsync();
        var way = service.Way;
        await using var terminal = await TestTerminal.OpenAsync(way, sandbox, "execution=mine");
        await terminal.TypeAsync("echo $((6 * 7))\r");
        await terminal.UntilAsync("42\r\n");

        await service.StopAsync(way);

        ((int?)(await terminal.EndAsync()).Status).ShouldBe(1012);
    }

    [Fact]
    public async Task One_whose_sandbox_is_deleted_closes_with_1011()
    {
        await using var sandbox = await service.CreateAsync();
        await using var terminal = await TestTerminal.OpenAsync(service.Way, sandbox);
        await terminal.TypeAsync("echo $((6 * 7))\r");
        await terminal.UntilAsync("42\r\n");

        await sandbox.DisposeAsync();

        (await terminal.EndAsync()).ShouldBe((WebSocketCloseStatus.InternalServerError, "sandbox_lost"));
    }
}
