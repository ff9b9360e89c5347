using System.Net;
using System.Net.Sockets;
using DonkeyWork.CodeSandbox.Client.Tests.Wire;

namespace DonkeyWork.CodeSandbox.Client.Tests;

/// <summary>What may have been done is not done again unasked; what cannot have been begun goes to the next address.</summary>
public sealed class UnknownOutcomeTests
{
    [Fact]
    public async Task A_deletion_that_was_perhaps_carried_out_is_not_sent_again()
    {
        await using var server = new ClosingServer();
        using var client = new CodeSandboxClient(server.Address);

        var e = await Should.ThrowAsync<InterruptedException>(client.DeleteAsync(FakeManager.Name).OrFail());

        e.Code.ShouldBe(ClientErrorCodes.ResponseCut);
        server.Requests.ShouldBe([$"DELETE /api/kata/{FakeManager.Name} HTTP/1.1"]);
    }

    [Fact]
    public async Task An_end_of_file_that_may_be_a_Ctrl_D_is_not_typed_again()
    {
        await using var server = new ClosingServer();
        using var client = new CodeSandboxClient(server.Address);
        var input = client.Attach(FakeManager.Name).GetExecution("x").StandardInput;

        await Should.ThrowAsync<InterruptedException>(input.CompleteAsync().OrFail());
        await input.DisposeAsync();

        server.Requests.ShouldBe([$"DELETE /api/kata/{FakeManager.Name}/executions/x/stdin HTTP/1.1"]);
    }

    [Fact]
    public async Task A_machine_that_is_dark_is_left_for_the_next_in_what_may_not_be_repeated()
    {
        await using var manager = await FakeManager.StartAsync();
        manager.Sandboxes[FakeManager.Name] = true;
        // Its queue is full, so that the kernel does not answer.
        using var dark = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        dark.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        dark.Listen(0);
        using var filling = new TcpClient();
        await filling.ConnectAsync((IPEndPoint)dark.LocalEndPoint!).OrFail();
        var options = new CodeSandboxClientOptions { ConnectTimeout = TimeSpan.FromMilliseconds(100) };

        using (var nobody = new CodeSandboxClient(new Uri($"http://{dark.LocalEndPoint}"), options))
            (await Should.ThrowAsync<CodeSandboxException>(nobody.DeleteAsync(FakeManager.Name).OrFail())).Code.ShouldBe(ClientErrorCodes.Unreachable);
        using var client = new CodeSandboxClient([new Uri($"http://{dark.LocalEndPoint}"), manager.Address], options);
        (await client.DeleteAsync(FakeManager.Name).OrFail()).Success.ShouldBeTrue();
    }
}
