using System.Text;
using DonkeyWork.CodeSandbox.Server.Tests.Terminals;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>A full-screen program, through Managers, as the person in front of it sees it.</summary>
[Collection(LocalServiceCollection.Name)]
public sealed class FullScreenTests(LocalService service)
{
    private const string LeavesScreen = "\x1b[?1049l";

    /// <summary>Bracketed paste, which a shell asks for with each prompt.</summary>
    private const string TakesKeyboard = "\x1b[?2004h";

    [Fact]
    public async Task A_session_of_vim_goes_on_through_another_Manager_in_a_window_of_another_size()
    {
        await using var sandbox = await service.CreateAsync();
        var way = service.Way;
        await using (var first = await TestTerminal.OpenAsync(way, sandbox, "execution=editor&cols=80&rows=24"))
        {
            await first.TypeAsync("vim.basic -u NONE -N note\r");
            await ShownAsync(first, 80, 24, screen => screen.Line(1) == "~" && screen.Line(22) == "~");
            await first.TypeAsync("ifirst line, é€😀\r\x1b");
            await ShownAsync(first, 80, 24, screen => screen.Line(0).StartsWith("first line, é€", StringComparison.Ordinal));
            await service.KillAsync(way);
        }

        await using var second = await TestTerminal.OpenAsync(service.Way, sandbox, "execution=editor");
        await second.ResizeAsync(100, 30);
        // Drawn anew, as a person asks for it who has missed something.
        await second.TypeAsync("\x0c");
        await ShownAsync(second, 100, 30, screen => screen.Line(0).StartsWith("first line, é€", StringComparison.Ordinal) && screen.Line(28) == "~");
        await second.TypeAsync("isecond line\x1b:wq\r");
        // What is typed before the shell has the keyboard again, vim throws away as it ends.
        await second.UntilAsync(
            drawn => drawn.LastIndexOf(LeavesScreen, StringComparison.Ordinal) is >= 0 and var left
                && drawn.IndexOf(TakesKeyboard, left, StringComparison.Ordinal) >= 0,
            "the shell's prompt");
        await second.TypeAsync("exit\r");

        (await second.EndAsync()).Reason.ShouldBe("0");
        (await sandbox.OutputOfAsync("cat note")).ShouldBe("first line, é€😀\nsecond line\n");
    }

    private static Task ShownAsync(TestTerminal terminal, int columns, int rows, Func<Screen, bool> condition) => terminal.UntilAsync(
        drawn =>
        {
            var screen = new Screen(columns, rows);
            screen.Write(Encoding.UTF8.GetBytes(drawn));
            return condition(screen);
        },
        "what is to be on the screen");
}
