using System.Net;
using System.Text;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Bench.Cluster;

/// <summary>The executor of every sandbox, at <see cref="Address"/>: healthy, and through with any command at once.</summary>
internal sealed class ExecutorStub : IDisposable
{
    public const string Address = "127.0.0.1";

    private static readonly byte[] Completed = Encoding.UTF8.GetBytes(
        "event: CompletedEvent\ndata: {\"$type\":\"CompletedEvent\",\"pid\":1,\"exitCode\":0,\"timedOut\":false}\nid: 1\n\n");

    private readonly HttpListener listener = new();

    public ExecutorStub()
    {
        listener.Prefixes.Add($"http://{Address}:{ExecutorProtocol.DefaultPort}/");
        listener.Start();
        _ = ServeAsync();
    }

    public void Dispose() => listener.Close();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var response = (await listener.GetContextAsync()).Response;
                response.ContentType = "text/event-stream";
                await response.OutputStream.WriteAsync(Completed);
            }
        }
        catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
        {
            // The run is over.
        }
    }
}
