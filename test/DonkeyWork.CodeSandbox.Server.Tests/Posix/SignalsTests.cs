using DonkeyWork.CodeSandbox.Server.Posix;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Posix;

public sealed class SignalsTests
{
    [Fact]
    public void Names_are_those_that_the_shell_knows()
    {
        // bash counts in the other direction above the middle, and so does not say RTMIN+20.
        foreach (var number in Enumerable.Range(1, 31).Append(34).Append(35))
        {
            var name = "SIG" + Published.Succeed("bash", "-c", $"kill -l {number}").Trim().Replace("SIG", "", StringComparison.Ordinal);
            Signals.NameOf(number).ShouldBe(name);
            Signals.Parse(name).ShouldBe(number < 32 ? number : null);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("INT")]
    [InlineData("sigint")]
    [InlineData("2")]
    [InlineData("SIGRTMIN")]
    [InlineData("SIGNOTHING")]
    public void Nothing_else_is_a_signal(string name) => Signals.Parse(name).ShouldBeNull();
}
