using System.Net;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Testing.Clusters;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Testing.StandIns;

/// <summary>
/// Answers as the executor of any number of sandboxes: <c>/healthz</c>, <c>/api/claim</c>, which it grants to everybody,
/// <c>/api/stats</c>, and <c>/api/execute</c>, whose command it prints. The command <see cref="Hold"/> prints and then runs
/// until the stream is cut or <see cref="Release"/>d.
/// </summary>
public sealed class StubExecutor : IAsyncDisposable
{
    public const string Hold = "hold";

    private readonly WebApplication _app;
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _openStreams;

    private StubExecutor(WebApplication app) => _app = app;

    /// <summary>How many commands <see cref="Hold"/> are running.</summary>
    public int OpenStreams => Volatile.Read(ref _openStreams);

    /// <summary>Listens on the executor's port of an address of this machine that the API server reaches.</summary>
    public static async Task<StubExecutor> StartAsync(string address)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Parse(address), 8666));
        var stub = new StubExecutor(builder.Build());
        stub._app.MapGet("/healthz", () => "Healthy");
        stub._app.MapPost("/api/claim", () => new { });
        stub._app.MapGet("/api/stats", () => new { running = stub.OpenStreams, openStreams = stub.OpenStreams, flavour = "stand-in" });
        stub._app.MapPost("/api/execute", stub.ExecuteAsync);
        await stub._app.StartAsync();
        return stub;
    }

    /// <summary>Completes every held command.</summary>
    public void Release() => _released.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        Release();
        await _app.DisposeAsync();
    }

    private async Task ExecuteAsync(HttpContext context)
    {
        using var request = await JsonDocument.ParseAsync(context.Request.Body);
        var command = request.RootElement.GetProperty("command").GetString()!;
        context.Response.ContentType = "text/event-stream";
        await SendAsync(context, "OutputEvent", new Dictionary<string, object> { ["$type"] = "OutputEvent", ["pid"] = 1, ["stream"] = "Stdout", ["data"] = command });
        if (command == Hold)
        {
            Interlocked.Increment(ref _openStreams);
            try
            {
                await _released.Task.WaitAsync(context.RequestAborted);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            finally
            {
                Interlocked.Decrement(ref _openStreams);
            }
        }

        await SendAsync(context, "CompletedEvent", new Dictionary<string, object> { ["$type"] = "CompletedEvent", ["pid"] = 1, ["exitCode"] = 0, ["timedOut"] = false });
    }

    private static async Task SendAsync(HttpContext context, string name, object data)
    {
        await context.Response.WriteAsync($"event: {name}\ndata: {JsonSerializer.Serialize(data)}\n\n");
        await context.Response.Body.FlushAsync();
    }
}
