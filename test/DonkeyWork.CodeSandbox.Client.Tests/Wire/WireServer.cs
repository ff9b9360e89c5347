using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Client.Tests.Wire;

/// <summary>A real Kestrel on a port of its own, which answers as the test says.</summary>
internal sealed class WireServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TaskCompletionSource _next = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private WireServer(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    /// <summary>Every request that came, in order.</summary>
    public ConcurrentQueue<ReceivedRequest> Requests { get; } = new();

    public static async Task<WireServer> StartAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var server = new WireServer(app);
        app.UseWebSockets();
        app.Run(async context =>
        {
            context.Request.EnableBuffering();
            var body = await new StreamReader(context.Request.Body).ReadToEndAsync();
            server.Requests.Enqueue(new ReceivedRequest(
                $"{context.Request.Method} {context.Request.Path}",
                context.Request.QueryString.Value!,
                context.Request.Protocol,
                context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase),
                body));
            server.Tell();
            try
            {
                await answer(context);
            }
            catch (Exception e) when (context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
            {
                // The client has gone, as some tests want.
            }
        });
        await app.StartAsync();
        return server;
    }

    /// <summary>Ends when there is a request for which a condition holds.</summary>
    public async Task HasAsync(Func<bool> condition)
    {
        while (true)
        {
            var next = Volatile.Read(ref _next).Task;
            if (condition())
                return;
            await next.OrFail();
        }
    }

    /// <summary>Cuts every connection and stops listening.</summary>
    public async Task DieAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
    }

    private void Tell() =>
        Interlocked.Exchange(ref _next, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();

    public async ValueTask DisposeAsync()
    {
        await DieAsync();
        await _app.DisposeAsync();
    }
}

internal sealed record ReceivedRequest(string Line, string Query, string Protocol, IReadOnlyDictionary<string, string> Headers, string Body);
