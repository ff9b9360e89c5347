using DonkeyWork.CodeSandbox.Local.State;

namespace DonkeyWork.CodeSandbox.Local.Tests;

public sealed class StateDirectoryTests : IDisposable
{
    private readonly string _directory = LocalMachine.NewDirectory();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_second_Manager_is_told_who_holds_it()
    {
        using var first = StateDirectory.Open(_directory);
        first.Announce(new Uri("http://127.0.0.1:8668"));

        var refused = Should.Throw<StateDirectoryInUseException>(() => StateDirectory.Open(_directory));

        refused.ProcessId.ShouldBe(Environment.ProcessId);
        refused.Url.ShouldBe(new Uri("http://127.0.0.1:8668"));
        refused.Message.ShouldContain($"process {Environment.ProcessId}, http://127.0.0.1:8668/");
    }

    [Fact]
    public void It_is_free_again_afterwards_and_the_secret_is_the_same()
    {
        byte[] secret;
        using (var first = StateDirectory.Open(_directory))
            secret = first.Secret();

        using var second = StateDirectory.Open(_directory);

        second.Secret().ShouldBe(secret);
        secret.Length.ShouldBe(32);
        File.GetUnixFileMode(Path.Combine(_directory, "secret")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
