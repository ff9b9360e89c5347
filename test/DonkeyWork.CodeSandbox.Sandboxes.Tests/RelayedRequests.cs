using System.Text;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>Requests to one ready sandbox, through the relay.</summary>
public abstract class RelayedRequests : IAsyncLifetime
{
    protected const string EventStream = "text/event-stream";

    private Core? _started;
    private Sandbox? _created;

    private protected Core Core => _started!;

    protected Sandbox Sandbox => _created!;

    public async Task InitializeAsync()
    {
        _started = await Tests.Core.StartAsync();
        _created = await _started.CreateReadyAsync();
    }

    public async Task DisposeAsync() => await Core.DisposeAsync();

    protected Task<ExecutorResponse> SendAsync(string body = "{}", CancellationToken cancellationToken = default)
    {
        var request = new ExecutorRequest(HttpMethod.Post, "api/execute")
        {
            Body = new MemoryStream(Encoding.UTF8.GetBytes(body)),
            ContentType = "application/json",
            ContentLength = Encoding.UTF8.GetByteCount(body),
            ResponseTypes = [EventStream, "application/json"],
        };
        return Core.Relay.SendAsync(Sandbox.Name, request, cancellationToken);
    }

    protected static async Task<string> ReadAsync(ExecutorResponse response)
    {
        var body = new MemoryStream();
        await response.CopyToAsync(body, default).WaitAsync(Patience.Limit);
        return Encoding.UTF8.GetString(body.ToArray());
    }

    protected static async Task<SandboxException> FailsAsync(Task<ExecutorResponse> sending, string code)
    {
        var error = await Should.ThrowAsync<SandboxException>(() => sending.WaitAsync(Patience.Limit));
        error.Code.ShouldBe(code);
        return error;
    }
}
