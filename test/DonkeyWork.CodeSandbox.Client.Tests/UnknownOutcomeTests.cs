using System.Net;
using System.Net.Sockets;
using DonkeyWork.CodeSandbox.Client.Tests.Wire;
using Microsoft.AspNetCore.Http;

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
        var options = new CodeSandboxClientOptions { ConnectTimeout = TimeSpan.FromSeconds(2) };

        using (var nobody = new CodeSandboxClient(new Uri($"http://{dark.LocalEndPoint}"), options))
            (await Should.ThrowAsync<CodeSandboxException>(nobody.DeleteAsync(FakeManager.Name).OrFail())).Code.ShouldBe(ClientErrorCodes.Unreachable);
        using var client = new CodeSandboxClient([new Uri($"http://{dark.LocalEndPoint}"), manager.Address], options);
        (await client.DeleteAsync(FakeManager.Name).OrFail()).Success.ShouldBeTrue();
    }

    [Fact]
    public async Task A_Manager_that_does_not_reach_the_sandbox_is_left_for_another()
    {
        await using var fake = await FakeSandbox.StartAsync(managers: 2, new CodeSandboxClientOptions { ReconnectTimeout = TimeSpan.FromSeconds(2) });
        fake.Executions.Before = async context =>
        {
            if (context.Request.Host.Port != fake.Manager.Address.Port)
                return false;
            await Sse.ProblemAsync(context, 502, "executor_unreachable");
            return true;
        };

        await using var execution = await fake.Sandbox.StartAsync("x").OrFail();

        fake.Manager.Server.Requests.Count.ShouldBe(1);
        fake.Managers[1].Server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task What_is_not_there_is_not_taken_for_deleted_by_an_attempt_that_never_began()
    {
        await using var fake = await FakeSandbox.StartAsync();
        var execution = await fake.Sandbox.StartAsync("x").OrFail();
        await execution.DeleteAsync().OrFail();
        FailOnce(fake, context => Sse.ProblemAsync(context, 503, "stopping"));

        await Should.ThrowAsync<ExecutionDeletedException>(execution.DeleteAsync().OrFail());
    }

    [Fact]
    public async Task Without_a_bound_it_is_tried_again_and_not_given_up_at_once()
    {
        await using var fake = await FakeSandbox.StartAsync(options: new CodeSandboxClientOptions { ReconnectTimeout = Timeout.InfiniteTimeSpan });
        FailOnce(fake, context => Sse.ProblemAsync(context, 503, "stopping"));

        await using var execution = await fake.Sandbox.StartAsync("x").OrFail();

        fake.Executions.Starts.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_end_of_file_that_failed_is_said_by_disposing()
    {
        await using var fake = await FakeSandbox.StartAsync(options: new CodeSandboxClientOptions { ReconnectTimeout = TimeSpan.Zero });
        await using var execution = await fake.Sandbox.StartAsync("cat", new StartOptions { OpenStandardInput = true }).OrFail();
        FailOnce(fake, context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });

        await Should.ThrowAsync<InterruptedException>(execution.StandardInput.CompleteAsync().OrFail());
        fake[execution].InputEnded.ShouldBeFalse();
        await execution.StandardInput.DisposeAsync();

        fake[execution].InputEnded.ShouldBeTrue();
    }

    [Fact]
    public async Task Disposing_the_input_ends_quietly_where_the_client_goes_meanwhile()
    {
        await using var fake = await FakeSandbox.StartAsync();
        await using var execution = await fake.Sandbox.StartAsync("cat", new StartOptions { OpenStandardInput = true }).OrFail();
        FailOnce(fake, Sse.GoneAsync);

        var disposing = execution.StandardInput.DisposeAsync().AsTask();
        await fake.Manager.Server.HasAsync(() => fake.Manager.Server.Requests.Any(r => r.Line.StartsWith("DELETE")));
        fake.Client.Dispose();

        await disposing.OrFail();
    }

    private static void FailOnce(FakeSandbox fake, RequestDelegate fail)
    {
        var failed = 0;
        fake.Executions.Before = async context =>
        {
            if (Interlocked.Exchange(ref failed, 1) != 0)
                return false;
            await fail(context);
            return true;
        };
    }
}
