namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>The backend as an ordinary user, who exists for these tests alone.</summary>
public sealed class RootlessTests : IAsyncLifetime
{
    private const uint User = 1_610_612_741;
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("codesandbox-rootless-");

    private string State => Path.Combine(_directory.FullName, "home", "state");

    // A checkout may be below a home that others cannot enter.
    private string Programs => Path.Combine(_directory.FullName, "programs");

    public async Task InitializeAsync()
    {
        await HostView.RunAsync("chmod", "755", _directory.FullName);
        (await HostView.RunAsync("cp", "-r", AppContext.BaseDirectory, Programs)).ExitCode.ShouldBe(0);
        (await HostView.RunAsync("cp", "-r", Repository.Executor, Programs)).ExitCode.ShouldBe(0);
        (await HostView.RunAsync("install", "-d", "-o", $"{User}", "-g", $"{User}", Path.Combine(_directory.FullName, "home"))).ExitCode.ShouldBe(0);
    }

    public async Task DisposeAsync()
    {
        (await HostView.RemainsAsync(State)).ShouldBeEmpty();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Where_no_limit_can_be_enforced_it_refuses_and_says_what_is_missing()
    {
        await using var process = OtherProcess.Start(State, allowUnlimited: false, "true", User, Programs);

        var (exitCode, output) = await process.EndAsync();

        exitCode.ShouldBe(Program.Refused, output);
        output.ShouldContain("Limits of memory, CPU and tasks cannot be enforced");
        output.ShouldContain("Local:AllowUnlimited=true");
    }

    [Fact]
    public async Task Allowed_to_it_runs_sandboxes_without_limits_and_says_so()
    {
        await using var process = OtherProcess.Start(
            State, allowUnlimited: true, "touch ~/a /tmp/b && echo $(hostname) $(cat /proc/self/status | grep -c 'Seccomp:.2') $(ls /root | wc -l)", User, Programs);

        var said = (await process.SaysAsync()).Split(' ');

        said[1].ShouldBe("False");
        said[2].ShouldBe(said[0]);
        said[3..].ShouldBe(["1", "0"]);
        (await process.EndAsync()).ExitCode.ShouldBe(0);
    }
}
