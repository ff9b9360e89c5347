using System.Text;
using System.Threading.Channels;
using DonkeyWork.CodeSandbox.Client.Tests.Wire;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Tests.Terminals;

public sealed class TerminalTests : IAsyncLifetime
{
    private readonly Channel<FakeTerminal> _opened = Channel.CreateUnbounded<FakeTerminal>();
    private FakeSandbox _fake = null!;

    private Sandbox Sandbox => _fake.Sandbox;

    public async Task InitializeAsync()
    {
        _fake = await FakeSandbox.StartAsync(managers: 2, new CodeSandboxClientOptions { ApiKey = "s3cret" });
        foreach (var manager in _fake.Managers)
            manager.OnTerminal = FakeTerminal.Into(_opened.Writer);
    }

    public async Task DisposeAsync() => await _fake.DisposeAsync();

    [Fact]
    public async Task What_is_typed_arrives_and_what_is_shown_is_read()
    {
        await using var terminal = await Sandbox.OpenTerminalAsync(
            new TerminalOptions { Id = "t", Command = "top & x", Columns = 120, Rows = 40 }).OrFail();
        var other = await NextAsync();

        await terminal.WriteAsync("ls ü\r").OrFail();
        await terminal.WriteAsync(new byte[] { 3 }).OrFail();
        await terminal.ResizeAsync(100, 30).OrFail();
        await other.ShowAsync("hello");

        (await other.NextAsync()).ShouldBe("Binary ls ü\r");
        (await other.NextAsync()).ShouldBe("Binary \u0003");
        (await other.NextAsync()).ShouldBe("""Text {"type":"resize","payload":{"cols":100,"rows":30}}""");
        (await ReadAsync(terminal, 5)).ShouldBe("hello");
        terminal.Id.ShouldBe("t");
        var request = _fake.Manager.Server.Requests.Single();
        request.Query.ShouldBe("?execution=t&command=top%20%26%20x&cols=120&rows=40");
        request.Headers["Authorization"].ShouldBe("Bearer s3cret");
    }

    [Theory]
    [InlineData("7", 7)]
    [InlineData("", null)]
    [InlineData("x", null)]
    public async Task The_end_of_its_program_ends_it_with_the_exit_code(string reason, int? code)
    {
        await using var terminal = await Sandbox.OpenTerminalAsync().OrFail();
        var other = await NextAsync();
        await other.ShowAsync("bye");

        await other.CloseAsync(1000, reason);

        (await new StreamReader(terminal.Output).ReadToEndAsync().OrFail()).ShouldBe("bye");
        (await terminal.WaitAsync().OrFail()).ShouldBe(code);
        await Should.ThrowAsync<ExecutionExitedException>(terminal.WriteAsync("x").OrFail());
    }

    [Fact]
    public async Task Waiting_lets_go_of_output_that_nobody_reads()
    {
        await using var terminal = await Sandbox.OpenTerminalAsync().OrFail();
        var other = await NextAsync();

        var wait = terminal.WaitAsync();
        for (var i = 0; i < 40; i++)
            await other.ShowAsync(new string('x', 50_000)).OrFail();
        await other.CloseAsync(1000, "0");

        (await wait.OrFail()).ShouldBe(0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1012)]
    [InlineData(1014)]
    [InlineData(1011)]
    [InlineData(1011, "sandbox_lost")]
    public async Task One_with_a_name_goes_on_at_another_Manager(int close, string reason = "")
    {
        await using var terminal = await Sandbox.OpenTerminalAsync(new TerminalOptions { Id = "t", Columns = 80 }).OrFail();
        var first = await NextAsync();
        await first.ShowAsync("one");
        (await ReadAsync(terminal, 3)).ShouldBe("one");
        await terminal.ResizeAsync(100, 30).OrFail();
        (await first.NextAsync()).ShouldStartWith("Text");

        if (close == 0)
            first.Cut();
        else
            await first.CloseAsync(close, reason);
        var second = await NextAsync();
        await second.ShowAsync("onetwo");
        await terminal.WriteAsync("x").OrFail();

        (await ReadAsync(terminal, 8)).ShouldBe("\u001bconetwo");
        (await second.NextAsync()).ShouldBe("Binary x");
        _fake.Managers[1].Server.Requests.Single().Query.ShouldBe("?execution=t&cols=100&rows=30");
    }

    [Fact]
    public async Task One_without_a_name_ends_with_its_connection()
    {
        await using var terminal = await Sandbox.OpenTerminalAsync().OrFail();
        var other = await NextAsync();

        other.Cut();

        await Should.ThrowAsync<InterruptedException>(terminal.Output.ReadAsync(new byte[1]).AsTask().OrFail());
        await Should.ThrowAsync<InterruptedException>(terminal.WaitAsync().OrFail());
        await Should.ThrowAsync<InterruptedException>(terminal.WriteAsync("x").OrFail());
    }

    [Fact]
    public async Task A_sandbox_that_is_gone_is_told_as_lost()
    {
        await using var closed = await Sandbox.OpenTerminalAsync(new TerminalOptions { Id = "one" }).OrFail();
        var first = await NextAsync();
        await using var cut = await Sandbox.OpenTerminalAsync(new TerminalOptions { Id = "two" }).OrFail();
        var second = await NextAsync();
        await using var unnamed = await Sandbox.OpenTerminalAsync().OrFail();
        var third = await NextAsync();
        _fake.Manager.Sandboxes.Clear();
        await first.CloseAsync(1011, "sandbox_lost");
        second.Cut();
        third.Cut();

        (await Should.ThrowAsync<SandboxLostException>(closed.WaitAsync().OrFail())).SandboxName.ShouldBe(FakeManager.Name);
        (await Should.ThrowAsync<SandboxLostException>(cut.WaitAsync().OrFail())).SandboxName.ShouldBe(FakeManager.Name);
        (await Should.ThrowAsync<SandboxLostException>(unnamed.WaitAsync().OrFail())).SandboxName.ShouldBe(FakeManager.Name);
        await Should.ThrowAsync<SandboxNotFoundException>(Sandbox.OpenTerminalAsync().OrFail());
    }

    [Fact]
    public async Task Typing_what_nobody_takes_can_be_given_up()
    {
        var cut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _fake.Manager.OnTerminal = async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await cut.Task;
            context.Abort();
        };
        await using var terminal = await Sandbox.OpenTerminalAsync().OrFail();
        using var stop = new CancellationTokenSource();

        // More than lies between the two.
        var write = terminal.WriteAsync(new byte[64 * 1024 * 1024], stop.Token);
        write.IsCompleted.ShouldBeFalse();
        await stop.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(write.OrFail());
        cut.SetResult();
        await Should.ThrowAsync<InterruptedException>(terminal.WaitAsync().OrFail());
    }

    [Fact]
    public async Task A_refusal_is_the_problem_that_it_says()
    {
        _fake.Manager.OnTerminal = context => Sse.ProblemAsync(context, 409, "execution_exists");

        await Should.ThrowAsync<ExecutionExistsException>(Sandbox.OpenTerminalAsync(new TerminalOptions { Id = "t" }).OrFail());

        _fake.Manager.OnTerminal = context => Sse.AnswerAsync(context, "not a WebSocket");
        var e = await Should.ThrowAsync<CodeSandboxException>(Sandbox.OpenTerminalAsync().OrFail());
        e.Code.ShouldBe(ClientErrorCodes.UnexpectedResponse);
        await Should.ThrowAsync<ArgumentException>(async () => await Sandbox.OpenTerminalAsync(new TerminalOptions { Id = "../x" }));
    }

    [Fact]
    public async Task Disposing_hangs_up_and_nobody_comes_back()
    {
        var terminal = await Sandbox.OpenTerminalAsync(new TerminalOptions { Id = "t" }).OrFail();
        var other = await NextAsync();
        await other.ShowAsync("unread");

        await terminal.DisposeAsync().AsTask().OrFail();

        (await other.NextAsync()).ShouldBe("close 1000");
        await terminal.DisposeAsync().AsTask().OrFail();
        await Should.ThrowAsync<ObjectDisposedException>(terminal.WriteAsync("x").OrFail());
        _fake.Managers.Sum(m => m.Server.Requests.Count).ShouldBe(1);
    }

    [Fact]
    public async Task One_that_cannot_be_reached_again_says_what_went_wrong()
    {
        await using var fake = await FakeSandbox.StartAsync(options: new CodeSandboxClientOptions { ReconnectTimeout = TimeSpan.FromMilliseconds(200) });
        fake.Manager.OnTerminal = FakeTerminal.Into(_opened.Writer);
        await using var terminal = await fake.Sandbox.OpenTerminalAsync(new TerminalOptions { Id = "t" }).OrFail();
        await NextAsync();

        await fake.Manager.Server.DieAsync();

        (await Should.ThrowAsync<CodeSandboxException>(terminal.WaitAsync().OrFail())).Code.ShouldBe(ClientErrorCodes.Unreachable);
    }

    private static async Task<string> ReadAsync(Terminal terminal, int length)
    {
        var buffer = new byte[length];
        await terminal.Output.ReadExactlyAsync(buffer).AsTask().OrFail();
        return Encoding.UTF8.GetString(buffer);
    }

    private Task<FakeTerminal> NextAsync() => _opened.Reader.ReadAsync().AsTask().OrFail();
}
