using DonkeyWork.CodeSandbox.Client.Tests.Wire;
using ReadmeSamples;

namespace DonkeyWork.CodeSandbox.Client.Tests;

/// <summary>Every block of the client's README runs and prints what the README says.</summary>
public sealed class ReadmeTests
{
    public static TheoryData<int> Lines => [.. ClientReadme.All.Select(s => s.Line)];

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task A_block_of_the_README_prints_what_it_says(int line)
    {
        await using var manager = await FakeManager.StartAsync();
        manager.OnExecute = BashExecutor.AnswerAsync;
        manager.Executions.OnStart = BashExecutions.Start;
        manager.OnTerminal = BashExecutions.TerminalAsync;
        await using var executor = await WireServer.StartAsync(BashExecutor.AnswerAsync);
        var sample = ClientReadme.All.Single(s => s.Line == line);

        var printed = await sample.RunAsync(address => (address switch
        {
            "http://127.0.0.1:8668" => manager.Address,
            "http://127.0.0.1:8666" => executor.Address,
            _ => throw new InvalidOperationException(address),
        }).ToString()).OrFail();

        sample.Promises(printed).ShouldBeTrue($"{sample} printed:\n{printed}");
        manager.Sandboxes.ShouldBeEmpty();
    }

    [Fact]
    public void A_sample_that_prints_something_else_breaks_its_promise()
    {
        var sample = new ReadmeSample("README.md", 1, "Heading", "one\n... two\n", _ => Task.CompletedTask);

        sample.Promises("one\nanything two\n").ShouldBeTrue();
        sample.Promises("one\nanything\n two\n").ShouldBeFalse();
        sample.Promises("one\nanything two\nthree\n").ShouldBeFalse();
    }
}
