using System.Text;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests;

public sealed class CommandTests(BothKinds containers) : IClassFixture<BothKinds>
{
    public static TheoryData<KillMode> Modes => new(Enum.GetValues<KillMode>());

    public static TheoryData<KillMode, string, string> AsTyped => InBothModes(
        [
            ("""echo "a\"b \$HOME $(printf x) 'q'" """, "a\"b $HOME x 'q'\n"),
            ("echo one\necho two\r\n", "one\ntwo\r\n"),
            ("cat <<'END'\n$HOME `id` \\n \"\n\ttab\nEND\n", "$HOME `id` \\n \"\n\ttab\n"),
            ("printf '%s|' 'a b' \"c  d\" '' --help -e $'\\x41'", "a b|c  d||--help|-e|A|"),
            ("echo 'grün €😀'; echo '\\u0041'", "grün €😀\n\\u0041\n"),
            ("echo $0 $#", "bash 0\n"),
            ("", ""),
            ("# only a comment", ""),
        ]);

    private static TheoryData<KillMode, string, string> InBothModes(params (string Command, string Output)[] samples)
    {
        var data = new TheoryData<KillMode, string, string>();
        foreach (var mode in Enum.GetValues<KillMode>())
        {
            foreach (var (command, output) in samples)
                data.Add(mode, command, output);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(AsTyped))]
    public async Task Commands_arrive_as_typed(KillMode mode, string command, string output)
    {
        var outcome = await containers[mode].Api.RunAsync(command);

        outcome.Stdout.ShouldBe(output);
        outcome.Stderr.ShouldBeEmpty();
        outcome.Completed.ExitCode.ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task The_longest_command_arrives_whole(KillMode mode)
    {
        const string prefix = "printf %s '", suffix = "' | sha256sum";
        var text = string.Concat(Enumerable.Repeat("0123456789abcdé\n", 10_000))[..(ExecuteRequest.MaxCommandBytes / 2)];
        text += new string('x', ExecuteRequest.MaxCommandBytes - prefix.Length - suffix.Length - Encoding.UTF8.GetByteCount(text));
        var expected = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(text)));

        (await containers[mode].Api.RunAsync(prefix + text + suffix)).Stdout.ShouldBe($"{expected}  -\n");
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Exit_codes_and_signals_are_told(KillMode mode)
    {
        (await containers[mode].Api.RunAsync("exit 3")).Completed.ShouldSatisfy(3, null);
        (await containers[mode].Api.RunAsync("exit 255")).Completed.ShouldSatisfy(255, null);
        (await containers[mode].Api.RunAsync("exit 137")).Completed.ShouldSatisfy(137, null);
        (await containers[mode].Api.RunAsync("nosuchcommand")).Completed.ShouldSatisfy(127, null);
        (await containers[mode].Api.RunAsync("kill -TERM $$")).Completed.ShouldSatisfy(143, CompletionReason.Killed);
        (await containers[mode].Api.RunAsync("kill -KILL $$")).Completed.ShouldSatisfy(137, CompletionReason.Killed);
        (await containers[mode].Api.RunAsync("kill -SEGV $$")).Completed.ShouldSatisfy(139, CompletionReason.Killed);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_command_finds_a_small_environment_and_its_own_additions(KillMode mode)
    {
        var outcome = await containers[mode].Api.RunAsync(new ExecuteRequest
        {
            Command = "env -0 | sort -z | tr '\\0' '\\n'",
            Environment = new Dictionary<string, string> { ["MINE"] = "a=b 'c' \"d\"", ["TERM"] = "dumb" },
        });

        var names = outcome.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        names.ShouldContain("MINE=a=b 'c' \"d\"");
        names.ShouldContain("HOME=/home/user");
        names.ShouldContain("TERM=dumb");
        names.ShouldContain("LANG=C.UTF-8");
        names.Select(line => line.Split('=')[0]).Except(["PATH", "HOME", "USER", "LANG", "TERM", "MINE", "PWD", "SHLVL", "_"]).ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_command_starts_clean(KillMode mode)
    {
        // No descriptor but its three, standard input at its end, a session of its own, no signal blocked or ignored.
        var outcome = await containers[mode].Api.RunAsync(
            "ls -C /proc/$$/fd; read line; echo $?; umask; pwd; cat /proc/$$/oom_score_adj; cut -d' ' -f6 /proc/$$/stat | grep -cx $$; exec grep -E 'Sig(Blk|Ign)' /proc/self/status");

        outcome.Stdout.ShouldBe("0  1  2\n1\n0022\n/home/user\n500\n1\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_working_directory_is_entered(KillMode mode) =>
        (await containers[mode].Api.RunAsync(new ExecuteRequest { Command = "pwd", WorkingDirectory = "/tmp" })).Stdout.ShouldBe("/tmp\n");

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Bytes_that_are_not_text_become_replacement_characters(KillMode mode)
    {
        var outcome = await containers[mode].Api.RunAsync("printf 'a\\xffb\\xe2\\x82\\n\\0\\x01\\r\\n'; printf '\\xf0\\x9f'; printf '\\x98\\x80'; printf '\\xe2\\x82' >&2");

        outcome.Output.Where(line => line.Stream == OutputSource.Stdout).Select(line => (line.Data, line.Partial))
            .ShouldBe([("a\uFFFDb\uFFFD", false), ("\0\u0001\r", false), ("😀", true)]);
        outcome.Stderr.ShouldBe("\uFFFD");
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task A_line_of_two_and_a_half_mebibytes_comes_in_three_parts(KillMode mode)
    {
        var outcome = await containers[mode].Api.RunAsync("head -c 2621440 /dev/zero | tr '\\0' x; echo; echo end");

        outcome.Output.Select(line => (line.Data.Length, line.Partial))
            .ShouldBe([(1048576, true), (1048576, true), (524288, false), (3, false)]);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task All_output_comes_in_order(KillMode mode)
    {
        var outcome = await containers[mode].Api.RunAsync("seq 200000; seq 3 >&2");

        outcome.Output.Where(line => line.Stream == OutputSource.Stdout).Select(line => line.Data)
            .ShouldBe(Enumerable.Range(1, 200_000).Select(number => $"{number}"));
        outcome.Stderr.ShouldBe("1\n2\n3\n");
    }
}

internal static class CompletedExtensions
{
    public static void ShouldSatisfy(this CompletedEvent completed, int exitCode, CompletionReason? reason)
    {
        completed.ExitCode.ShouldBe(exitCode);
        completed.Reason.ShouldBe(reason);
        completed.TimedOut.ShouldBe(reason == CompletionReason.TimedOut);
    }
}
