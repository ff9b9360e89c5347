using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>
/// Stands on loopback, without TLS, between a client and a real API server, so that a test can see each request, answer one
/// itself, or cut an answer. All else is passed on as it is.
/// </summary>
public class ApiRelay : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly HttpMessageInvoker _upstream;
    private readonly Uri _server;
    private readonly ConcurrentQueue<RelayedRequest> _requests = new();

    private protected ApiRelay(Uri server)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _application = builder.Build();
        _application.Run(AnswerAsync);
        _server = server;
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false };
#pragma warning disable CA5359 // Whether the server is the right one is not what a relay's test is about.
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        _upstream = new HttpMessageInvoker(handler);
    }

    public Uri Address => new(_application.Urls.First());

    /// <summary>Sees each request first, and says whether it has answered it.</summary>
    public Func<HttpContext, Task<bool>> Intercept { get; set; } = _ => Task.FromResult(false);

    /// <summary>Changes paths with their queries on their way to the server.</summary>
    public Func<string, string> Rewrite { get; set; } = path => path;

    /// <summary>Sees each piece of an answer, and says whether to go on.</summary>
    public Func<HttpContext, ReadOnlyMemory<byte>, Task<bool>> PassOn { get; set; } = (_, _) => Task.FromResult(true);

    /// <summary>Those that came, in their order.</summary>
    public IReadOnlyCollection<RelayedRequest> Requests => _requests;

    public static async Task<ApiRelay> StartAsync(Uri server)
    {
        var relay = new ApiRelay(server);
        await relay.ListenAsync();
        return relay;
    }

    public async ValueTask DisposeAsync()
    {
        // Watches go on for ever: they are cut, not waited for.
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _application.StopAsync(now.Token);
        await _application.DisposeAsync();
        _upstream.Dispose();
    }

    private protected Task ListenAsync() => _application.StartAsync();

    /// <summary>Passes the body of an answer on.</summary>
    private protected virtual async Task PassBodyOnAsync(HttpContext context, Stream body)
    {
        var buffer = new byte[16 * 1024];
        while (await body.ReadAsync(buffer, context.RequestAborted) is > 0 and var read)
        {
            if (!await PassOn(context, buffer.AsMemory(0, read)))
            {
                context.Abort();
                return;
            }

            await context.Response.BodyWriter.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted);
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var path = $"{context.Request.Path}{context.Request.QueryString}";
        _requests.Enqueue(new RelayedRequest(context.Request.Method, path, context.Request.Headers.Authorization.ToString()));
        if (await Intercept(context)) return;
        try
        {
            await PassOnAsync(context, Rewrite(path));
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException or OperationCanceledException)
        {
            // What breaks on one side breaks on the other.
            context.Abort();
        }
    }

    private async Task PassOnAsync(HttpContext context, string path)
    {
        var ended = context.RequestAborted;
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), new Uri(_server, path));
        if (context.Request.ContentLength > 0 || context.Request.Headers.TransferEncoding.Count > 0) request.Content = new StreamContent(context.Request.Body);
        foreach (var (name, values) in context.Request.Headers)
        {
            if (name is "Host" or "Connection" or "Transfer-Encoding") continue;
            if (!request.Headers.TryAddWithoutValidation(name, values.ToArray())) request.Content?.Headers.TryAddWithoutValidation(name, values.ToArray());
        }

        using var response = await _upstream.SendAsync(request, ended);
        context.Response.StatusCode = (int)response.StatusCode;
        foreach (var (name, values) in response.Headers.Concat(response.Content.Headers))
            if (name is not ("Transfer-Encoding" or "Connection")) context.Response.Headers[name] = values.ToArray();
        await context.Response.StartAsync(ended);
        await using var body = await response.Content.ReadAsStreamAsync(ended);
        await PassBodyOnAsync(context, body);
    }
}

/// <summary>A request that came to a relay.</summary>
public sealed record RelayedRequest(string Method, string PathAndQuery, string Authorization);
