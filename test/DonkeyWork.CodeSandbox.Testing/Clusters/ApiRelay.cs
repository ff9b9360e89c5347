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
public sealed class ApiRelay : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly HttpMessageInvoker _upstream;
    private readonly Uri _server;
    private readonly ConcurrentQueue<RelayedRequest> _requests = new();

    private ApiRelay(WebApplication application, Uri server)
    {
        (_application, _server) = (application, server);
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
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var relay = new ApiRelay(builder.Build(), server);
        relay._application.Run(relay.AnswerAsync);
        await relay._application.StartAsync();
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
            context.Abort();
        }
    }

    private async Task PassOnAsync(HttpContext context, string path)
    {
        var ended = context.RequestAborted;
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), new Uri(_server, path));
        foreach (var name in (string[])["Authorization", "Accept", "User-Agent"]) request.Headers.TryAddWithoutValidation(name, context.Request.Headers[name].ToArray());
        if (context.Request.ContentType is { } type)
        {
            request.Content = new StreamContent(context.Request.Body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        using var response = await _upstream.SendAsync(request, ended);
        context.Response.StatusCode = (int)response.StatusCode;
        context.Response.ContentType = response.Content.Headers.ContentType?.ToString();
        await context.Response.StartAsync(ended);
        await using var body = await response.Content.ReadAsStreamAsync(ended);
        var buffer = new byte[16 * 1024];
        while (await body.ReadAsync(buffer, ended) is > 0 and var read)
        {
            if (!await PassOn(context, buffer.AsMemory(0, read)))
            {
                context.Abort();
                return;
            }

            await context.Response.BodyWriter.WriteAsync(buffer.AsMemory(0, read), ended);
        }
    }
}

/// <summary>A request that came to a relay.</summary>
public sealed record RelayedRequest(string Method, string PathAndQuery, string Authorization);
