using System.Text;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>A command reaches bash byte for byte; the witness is the same bash on the host.</summary>
[Collection(SharedManagerCollection.Name)]
public sealed class CommandsAsTypedTests(SharedManager shared)
{
    public static TheoryData<string> Commands => new()
    {
        """echo "a\"b \$HOME $(printf x) 'q'" """,
        "echo one\necho two\n\n# a comment\necho 'three\nfour'",
        "cat <<'END'\n$HOME `id` \\ \"\nEND\n",
        "cat <<END\n$((6*7)) \\$HOME\nEND\n",
        "printf '%s\\n' 'ünï' \"日本語\" $'\\t|' '\\\\'",
        "echo a;# b\\\necho c",
        "",
    };

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task A_command_means_the_same_in_a_sandbox_as_on_the_host(string command)
    {
        await using var sandbox = await shared.Client.CreateAsync();
        var onHost = await Tool.RunAsync("/bin/bash", "-c", command);

        var inSandbox = await sandbox.RunAsync(command);

        inSandbox.StandardOutput.ShouldBe(onHost.Output);
        inSandbox.ExitCode.ShouldBe(onHost.ExitCode);
    }

    [Fact]
    public async Task A_command_of_100_KiB_arrives_whole()
    {
        await using var sandbox = await shared.Client.CreateAsync();
        var text = string.Concat(Enumerable.Range(0, 100 * 1024 / 8).Select(i => $"{i:x7} "));
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, text, new UTF8Encoding(false));
            var onHost = await Tool.RunAsync("sha256sum", file);

            var inSandbox = await sandbox.RunAsync($"printf %s '{text}' | sha256sum");

            inSandbox.StandardOutput.Split(' ')[0].ShouldBe(onHost.Output.Split(' ')[0]);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("python3 -c 'print(6*7)'", "42\n")]
    [InlineData("node -e 'console.log(6*7)'", "42\n")]
    [InlineData("cd && git init -q r && cd r && git config user.email a@example.org && git config user.name a && echo x > f && git add f && git commit -qm first && git log --format=%s", "first\n")]
    [InlineData("python3 -c 'import ssl, sqlite3, hashlib; print(ssl.OPENSSL_VERSION.split()[0])'", "OpenSSL\n")]
    [InlineData("echo $BASH_VERSION | grep -c .", "1\n")]
    [InlineData("pwd; id -u; id -un; echo $HOME; touch f && stat -c %U f", "/home/user\n1000\nuser\n/home/user\nuser\n")]
    [InlineData("echo x > /tmp/f && cat /tmp/f", "x\n")]
    public async Task What_people_use_works(string command, string expected)
    {
        await using var sandbox = await shared.Client.CreateAsync();
        var result = await sandbox.RunAsync(command);
        (result.StandardOutput + result.StandardError).ShouldBe(expected);
        result.ExitCode.ShouldBe(0);
    }
}
