using System.Collections.Concurrent;
using System.Net;
using System.Text;
using DonkeyWork.CodeSandbox.Testing.Clusters;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Testing.StandIns;

/// <summary>
/// Stands between a Manager and the API server, in plain HTTP towards the Manager, and does to watches what a network may do:
/// each line can be late, and all watches can be cut. Other requests pass as they are.
/// </summary>
public sealed class WatchRelay : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpMessageInvoker _upstream;
    private readonly Uri _server;
    private readonly ConcurrentDictionary<HttpContext, bool> _watches = new();
    private int _refused;

    private WatchRelay(WebApplication app, ApiServer api)
    {
        (_app, _server) = (app, api.Url);
        var handler = api.CreateHandler();
        // The Manager's own token says who asks.
        handler.SslOptions.ClientCertificates = null;
        handler.UseCookies = false;
        _upstream = new HttpMessageInvoker(handler);
    }

    /// <summary>What a Manager takes as the API server's URL.</summary>
    public Uri Url => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>How late each line of a watch is.</summary>
    public TimeSpan WatchDelay { get; set; } = TimeSpan.Zero;

    /// <summary>While set, watches and the lists before them are refused.</summary>
    public bool RefusesWatches { get; set; }

    /// <summary>How many watches and lists were refused.</summary>
    public int RefusedWatches => Volatile.Read(ref _refused);

    /// <summary>Told of each line of a watch when it is on its way to the Manager.</summary>
    public Action<string> OnWatchLine { get; set; } = _ => { };

    /// <summary>How many watches are open.</summary>
    public int OpenWatches => _watches.Count;

    public static async Task<WatchRelay> StartAsync(ApiServer api)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var relay = new WatchRelay(builder.Build(), api);
        relay._app.Run(relay.PassAsync);
        await relay._app.StartAsync();
        return relay;
    }

    /// <summary>Resets the connection of every watch.</summary>
    public void CutWatches()
    {
        foreach (var watch in _watches.Keys) watch.Abort();
    }

    public async ValueTask DisposeAsync()
    {
        CutWatches();
        await _app.DisposeAsync();
        _upstream.Dispose();
    }

    private async Task PassAsync(HttpContext context)
    {
        var isWatch = context.Request.Query.ContainsKey("watch");
        if (RefusesWatches && (isWatch || IsList(context.Request)))
        {
            Interlocked.Increment(ref _refused);
            context.Abort();
            return;
        }

        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), new Uri(_server, context.Request.Path + context.Request.QueryString));
        if (context.Request.ContentLength > 0 || context.Request.Headers.TransferEncoding.Count > 0) request.Content = new StreamContent(context.Request.Body);
        foreach (var (name, values) in context.Request.Headers)
        {
            if (name is "Host" or "Connection" or "Transfer-Encoding") continue;
            if (!request.Headers.TryAddWithoutValidation(name, values.ToArray())) request.Content?.Headers.TryAddWithoutValidation(name, values.ToArray());
        }

        try
        {
            using var response = await _upstream.SendAsync(request, context.RequestAborted);
            context.Response.StatusCode = (int)response.StatusCode;
            foreach (var (name, values) in response.Headers.Concat(response.Content.Headers))
                if (name is not ("Transfer-Encoding" or "Connection")) context.Response.Headers[name] = values.ToArray();
            var body = await response.Content.ReadAsStreamAsync(context.RequestAborted);
            await context.Response.StartAsync(context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            if (isWatch) await PassWatchAsync(context, body);
            else await PassBodyAsync(context, body);
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException or OperationCanceledException)
        {
            // What breaks on one side breaks on the other.
            context.Abort();
        }
    }

    private static bool IsList(HttpRequest request) => request.Method == "GET" && request.Path.Value!.EndsWith("/pods", StringComparison.Ordinal);

    private static async Task PassBodyAsync(HttpContext context, Stream body)
    {
        var buffer = new byte[16384];
        while (await body.ReadAsync(buffer, context.RequestAborted) is > 0 and var read)
        {
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }

    // Lines come in as they are made and go out late, in their order, without one waiting for the one before.
    private async Task PassWatchAsync(HttpContext context, Stream body)
    {
        _watches[context] = true;
        try
        {
            var late = System.Threading.Channels.Channel.CreateUnbounded<(string Line, Task Due)>();
            var sending = SendAsync();
            using var reader = new StreamReader(body);
            while (await reader.ReadLineAsync(context.RequestAborted) is { } line)
                late.Writer.TryWrite((line, WatchDelay > TimeSpan.Zero ? Task.Delay(WatchDelay, TimeProvider.System, context.RequestAborted) : Task.CompletedTask));
            late.Writer.Complete();
            await sending;

            async Task SendAsync()
            {
                await foreach (var (line, due) in late.Reader.ReadAllAsync(context.RequestAborted))
                {
                    await due;
                    OnWatchLine(line);
                    await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), context.RequestAborted);
                    await context.Response.Body.FlushAsync(context.RequestAborted);
                }
            }
        }
        finally
        {
            _watches.TryRemove(context, out _);
        }
    }
}
