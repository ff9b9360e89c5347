namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary><c>./run.sh "COMMAND"</c>: one command in a sandbox of its own.</summary>
public sealed class RunCommandTests : IAsyncLifetime
{
    private readonly string directory = Path.Combine(Path.GetTempPath(), $"codesandbox-e2e-{Guid.NewGuid():N}"[..30]);

    private readonly IReadOnlyList<string> groupsBefore = Remains.Groups();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await Remains.NothingOfAsync(directory, () => "");
        Remains.Groups().ShouldBe(groupsBefore);
        if (Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Theory]
    [InlineData("python3 -c 'print(6*7)'", "42\n", 0)]
    [InlineData("exit 3", "", 3)]
    [InlineData("echo a; echo b", "a\nb\n", 0)]
    [InlineData("printf 'no newline'", "no newline", 0)]
    [InlineData("kill -TERM $$", "", 143)]
    public async Task It_prints_what_the_command_prints_and_exits_as_it_does(string command, string output, int exitCode)
    {
        var run = await Run(command);
        run.Output.ShouldBe(output);
        run.ExitCode.ShouldBe(exitCode, run.Error);
    }

    [Fact]
    public async Task What_is_written_next_to_the_same_file_comes_behind_it()
    {
        var file = Path.Combine(Path.GetTempPath(), $"codesandbox-run-{Guid.NewGuid():N}");
        try
        {
            await Tool.BashAsync($"{{ echo before; '{Repository.Manager}' run 'echo one'; echo two; }} > {file}", Setting());
            (await File.ReadAllTextAsync(file)).ShouldBe("before\none\ntwo\n");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task It_ends_when_nobody_reads_its_output()
    {
        var run = await Tool.BashAsync($"set -o pipefail; '{Repository.Manager}' run yes | head -n 2; exit ${{PIPESTATUS[0]}}", Setting());
        run.Output.ShouldBe("y\ny\n");
        run.ExitCode.ShouldBe(141, run.Error);
    }

    [Theory]
    [InlineData("echo lost")]
    [InlineData("yes")]
    public async Task It_says_so_when_its_output_cannot_be_written(string command)
    {
        var run = await Tool.BashAsync($"'{Repository.Manager}' run '{command}' > /dev/full", Setting());
        run.Error.ShouldBe("error: the output cannot be written: No space left on device\n");
        run.ExitCode.ShouldBe(125);
    }

    [Fact]
    public async Task An_interrupt_at_any_moment_leaves_no_sandbox_behind()
    {
        for (var milliseconds = 200; milliseconds <= 1400; milliseconds += 150)
        {
            // timeout(1) is the clock: it sends the signal, and the program tells 130 or, before it listens, dies of it.
            var run = await Tool.RunAsync(
                "timeout", ["--signal=INT", $"{milliseconds / 1000.0:0.00}", Repository.Manager, "run", "sleep 3600"], Setting());
            run.ExitCode.ShouldBe(124, run.Error);
            await Remains.NothingOfAsync(directory, () => $"after {milliseconds} ms: {run.Error}");
        }
    }

    [Fact]
    public async Task However_often_it_is_told_to_end_it_deletes_its_sandbox_first()
    {
        const string script = """
            printed=$(mktemp) && trap 'rm "$printed"' EXIT
            "$0" run "echo begun; sleep 3600" >"$printed" & pid=$!
            until grep -q begun "$printed"; do sleep 0.05; done
            while kill -TERM $pid 2>/dev/null; do sleep 0.001; done
            wait $pid
            """;
        var run = await Tool.RunAsync("bash", ["-c", script, Repository.Manager], Setting());

        // 143: once everything is deleted, the next signal may end it before it does so itself.
        run.ExitCode.ShouldBeOneOf(130, 143);
        await Remains.NothingOfAsync(directory, () => run.Error);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("run one two")]
    [InlineData("run --Locl:Runtime=runc true")]
    [InlineData("serve")]
    [InlineData("--Locl:Runtime=runc")]
    [InlineData("--Local:Runtme=runc")]
    [InlineData("--urls=nonsense")]
    [InlineData("--Local:Runtime=")]
    [InlineData("--KataContainerManager:PodNamePrefix=")]
    public async Task What_is_misspelt_is_refused(string arguments)
    {
        var run = await Tool.RunAsync(Repository.Manager, arguments.Split(' '), Setting());
        run.ExitCode.ShouldBeOneOf(1, 2);
        run.Error.ShouldNotBeEmpty();
        run.Error.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task Standard_error_stays_standard_error()
    {
        var run = await Run("echo oops >&2");
        run.Output.ShouldBe("");
        run.Error.ShouldBe("oops\n");
    }

    [Fact]
    public async Task It_uses_the_Manager_that_runs_already()
    {
        await using var manager = await ManagerProcess.StartOnAsync(directory);
        var run = await Run("hostname");
        run.ExitCode.ShouldBe(0, run.Error);
        // Its log comes through a pipe, in its own time.
        await Patience.UntilAsync(() => manager.Log.Contains(run.Output.Trim(), StringComparison.Ordinal), () => $"{run.Output} is not in:\n{manager.Log}");
    }

    [Fact]
    public async Task Run_sh_does_it_from_a_shell()
    {
        var run = await Tool.RunAsync(
            Path.Combine(Repository.Root, "run.sh"), ["python3 -c 'print(6*7)'"], Setting(), TimeSpan.FromMinutes(5));
        run.Output.ShouldBe("42\n");
        run.ExitCode.ShouldBe(0, run.Error);
    }

    [Fact]
    public async Task Help_says_how_it_is_used()
    {
        (await Tool.RunAsync(Path.Combine(Repository.Root, "run.sh"), "--help")).Output.ShouldContain("Usage:");
        (await Tool.RunAsync(Repository.Manager, "--help")).Output.ShouldContain("run");
    }

    [Fact]
    public async Task What_the_machine_lacks_is_told_once_and_without_a_stack()
    {
        var run = await Tool.RunAsync(Repository.Manager, ["--Local:Runtime=/nowhere/runc", "--urls=http://127.0.0.1:0"], Setting());
        run.ExitCode.ShouldBe(1);
        run.Output.ShouldBe("");
        run.Error.Split("apt-get install runc").Length.ShouldBe(2);
        run.Error.ShouldNotContain("   at ");
    }

    private Task<Tool> Run(string command) => Tool.RunAsync(Repository.Manager, ["run", command], Setting());

    private Dictionary<string, string> Setting() => new() { ["Local__StateDirectory"] = directory };
}
