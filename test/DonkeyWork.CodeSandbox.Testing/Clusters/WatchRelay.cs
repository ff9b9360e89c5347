using System.Collections.Concurrent;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>Does to watches what a network may do: each line can be late, and all watches can be cut, or refused.</summary>
public sealed class WatchRelay : ApiRelay
{
    private readonly ConcurrentDictionary<HttpContext, bool> _watches = new();
    private int _refused;

    private WatchRelay(Uri server) : base(server) => Intercept = RefuseAsync;

    /// <summary>How late each line of a watch is.</summary>
    public TimeSpan WatchDelay { get; set; } = TimeSpan.Zero;

    /// <summary>No line of a watch goes out before this, however late it is by then.</summary>
    public Task Held { get; set; } = Task.CompletedTask;

    /// <summary>While set, watches and the lists before them are refused.</summary>
    public bool RefusesWatches { get; set; }

    /// <summary>How many watches and lists were refused.</summary>
    public int RefusedWatches => Volatile.Read(ref _refused);

    /// <summary>Told of each line of a watch when it is on its way to the Manager.</summary>
    public Action<string> OnWatchLine { get; set; } = _ => { };

    public static async Task<WatchRelay> StartAsync(ApiServer api)
    {
        var relay = new WatchRelay(api.Url);
        await relay.ListenAsync();
        return relay;
    }

    /// <summary>Resets the connection of every watch.</summary>
    public void CutWatches()
    {
        foreach (var watch in _watches.Keys) watch.Abort();
    }

    private protected override async Task PassBodyOnAsync(HttpContext context, Stream body)
    {
        if (!IsWatch(context.Request))
        {
            await base.PassBodyOnAsync(context, body);
            return;
        }

        _watches[context] = true;
        try
        {
            await PassWatchOnAsync(context.Response, body, context.RequestAborted);
        }
        finally
        {
            _watches.TryRemove(context, out _);
        }
    }

    // Lines come in as they are made and go out late, in their order, without one waiting for the one before.
    private async Task PassWatchOnAsync(HttpResponse response, Stream body, CancellationToken ended)
    {
        // The watch is open before there is anything to tell.
        await response.Body.FlushAsync(ended);
        var late = Channel.CreateUnbounded<(string Line, Task Due)>();
        var sending = SendAsync();
        using var reader = new StreamReader(body);
        while (await reader.ReadLineAsync(ended) is { } line)
            late.Writer.TryWrite((line, WatchDelay > TimeSpan.Zero ? Task.Delay(WatchDelay, TimeProvider.System, ended) : Task.CompletedTask));
        late.Writer.Complete();
        await sending;

        async Task SendAsync()
        {
            await foreach (var (line, due) in late.Reader.ReadAllAsync(ended))
            {
                await due;
                await Held.WaitAsync(ended);
                OnWatchLine(line);
                await response.BodyWriter.WriteAsync(Encoding.UTF8.GetBytes(line + "\n"), ended);
            }
        }
    }

    private Task<bool> RefuseAsync(HttpContext context)
    {
        var isRefused = RefusesWatches && (IsWatch(context.Request) || IsList(context.Request));
        if (isRefused)
        {
            Interlocked.Increment(ref _refused);
            context.Abort();
        }

        return Task.FromResult(isRefused);
    }

    private static bool IsWatch(HttpRequest request) => request.Query.ContainsKey("watch");

    private static bool IsList(HttpRequest request) => request.Method == "GET" && request.Path.Value!.EndsWith("/pods", StringComparison.Ordinal);
}
