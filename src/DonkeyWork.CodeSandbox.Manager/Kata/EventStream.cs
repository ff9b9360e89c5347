using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace DonkeyWork.CodeSandbox.Manager.Kata;

/// <summary>Server-sent events that the Manager itself writes (https://html.spec.whatwg.org/multipage/server-sent-events.html).</summary>
internal static class EventStream
{
    public const string MediaType = "text/event-stream";

    private static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(10);

    /// <summary>What proxies and caches must know of a stream.</summary>
    public static void SetUnbuffered(HttpResponse response)
    {
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
    }

    /// <summary>Writes each event as one <c>data:</c> line without an event name, and a comment where 10 s pass without one.</summary>
    public static async Task WriteAsync<T>(
        HttpResponse response, IAsyncEnumerable<T> events, JsonTypeInfo<T> type, TimeProvider clock, CancellationToken cancellationToken)
    {
        response.ContentType = MediaType;
        SetUnbuffered(response);
        await response.StartAsync(cancellationToken);
        await using var source = events.GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            var next = source.MoveNextAsync().AsTask();
            while (!await IsOverAsync(next, clock)) await WriteAsync(response, ": keepalive\n\n"u8.ToArray(), cancellationToken);
            if (!await next) return;
            await WriteAsync(response, [.. "data: "u8, .. JsonSerializer.SerializeToUtf8Bytes(source.Current, type), .. "\n\n"u8], cancellationToken);
        }
    }

    private static async Task<bool> IsOverAsync(Task next, TimeProvider clock)
    {
        await next.WaitAsync(KeepAliveInterval, clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return next.IsCompleted;
    }

    private static async Task WriteAsync(HttpResponse response, byte[] bytes, CancellationToken cancellationToken) =>
        await response.Body.WriteAsync(bytes, cancellationToken);
}
