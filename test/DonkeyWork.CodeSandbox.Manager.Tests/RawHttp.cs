using System.Net.Sockets;
using System.Text;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Manager.Tests;

/// <summary>HTTP byte for byte, for what no well-behaved client sends or shows.</summary>
internal sealed class RawHttp : IDisposable
{
    private readonly TcpClient _client;
    private readonly StringBuilder _seen = new();

    private RawHttp(TcpClient client) => _client = client;

    public static async Task<RawHttp> ConnectAsync(Uri url)
    {
        var client = new TcpClient { NoDelay = true, ReceiveBufferSize = 256 * 1024 };
        await client.ConnectAsync(url.Host, url.Port);
        return new RawHttp(client);
    }

    /// <summary>Sends a request of these lines and returns everything until the connection closes.</summary>
    public static async Task<string> AskAsync(Uri url, params string[] lines)
    {
        using var http = await ConnectAsync(url);
        await http.SendAsync([.. lines, "Connection: close"]);
        return await http.ReadToEndAsync();
    }

    /// <summary>The status code of a response.</summary>
    public static int StatusOf(string response) => int.Parse(response.Split(' ')[1]);

    public Task SendAsync(params string[] lines) => WriteAsync(string.Join("\r\n", lines) + "\r\n\r\n");

    public async Task WriteAsync(string text) => await _client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Reads until a text has come; all that was seen so far.</summary>
    public async Task<string> ReadUntilAsync(string text)
    {
        while (!_seen.ToString().Contains(text, StringComparison.Ordinal))
            (await ReadSomeAsync()).ShouldBeTrue($"The connection was closed before '{text}':\n{_seen}");
        return _seen.ToString();
    }

    public async Task<string> ReadToEndAsync()
    {
        while (await ReadSomeAsync())
        {
        }

        return _seen.ToString();
    }

    /// <summary>Breaks the connection.</summary>
    public void Cut()
    {
        _client.Client.LingerState = new LingerOption(true, 0);
        _client.Close();
    }

    public void Dispose() => _client.Dispose();

    private async Task<bool> ReadSomeAsync()
    {
        var buffer = new byte[16 * 1024];
        try
        {
            var count = await _client.GetStream().ReadAsync(buffer).AsTask().WaitAsync(Patience.Limit);
            _seen.Append(Encoding.Latin1.GetString(buffer, 0, count));
            return count > 0;
        }
        catch (IOException)
        {
            // Reset: an end, though not a clean one.
            return false;
        }
    }
}
