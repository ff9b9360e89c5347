using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Tests.Running;

/// <summary>An item of an event stream: an event with its name and id, or a comment.</summary>
internal sealed record StreamItem(string? Name, string? Id, ExecutionEvent? Event, string? Comment);

/// <summary>All that a command's stream said.</summary>
internal sealed record Outcome(IReadOnlyList<OutputEvent> Output, CompletedEvent Completed)
{
    public string Stdout => Text(OutputSource.Stdout);

    public string Stderr => Text(OutputSource.Stderr);

    private string Text(OutputSource source) =>
        string.Concat(Output.Where(line => line.Stream == source).Select(line => line.Data + (line.Partial ? "" : "\n")));
}

/// <summary>Speaks HTTP to an executor on a Unix socket, and reads its streams without the product's client.</summary>
internal sealed class ExecutorApi(string socketPath, string? token = null) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
        // Leaving a stream is leaving it, not waiting for its end.
        ResponseDrainTimeout = TimeSpan.Zero,
    })
    {
        BaseAddress = new Uri("http://executor"),
        Timeout = Published.Patience,
    };

    public string SocketPath => socketPath;

    public Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? content = null, string? withToken = null, string? accept = null,
        CancellationToken cancellationToken = default, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path) { Content = content };
        if (accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", accept);
        foreach (var (name, text) in headers)
            request.Headers.TryAddWithoutValidation(name, text);
        if ((withToken ?? token) is { } value)
            request.Headers.Add("X-Sandbox-Token", value);
        return _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    public Task<HttpResponseMessage> PostAsync(string path, string json, string mediaType = "application/json") =>
        SendAsync(HttpMethod.Post, path, new StringContent(json, Encoding.UTF8, mediaType));

    public Task<HttpResponseMessage> ExecuteAsync(ExecuteRequest request, CancellationToken cancellationToken = default)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(request, ContractsJsonContext.Default.ExecuteRequest));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return SendAsync(HttpMethod.Post, "/api/execute", content, cancellationToken: cancellationToken);
    }

    /// <summary>The stream of a command, as it comes. Leaving it disconnects.</summary>
    public async IAsyncEnumerable<StreamItem> StreamAsync(
        ExecuteRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var response = await ExecuteAsync(request, cancellationToken);
        ((int)response.StatusCode).ShouldBe(200, await FailureOf(response));
        await foreach (var item in ReadAsync(response, cancellationToken))
            yield return item;
    }

    /// <summary>Runs a command to its end.</summary>
    public async Task<Outcome> RunAsync(ExecuteRequest request)
    {
        var output = new List<OutputEvent>();
        CompletedEvent? completed = null;
        var id = 0;
        await foreach (var item in StreamAsync(request))
        {
            if (item.Event is null)
                continue;
            completed.ShouldBeNull("an event after the last");
            item.Id.ShouldBe((++id).ToString(System.Globalization.CultureInfo.InvariantCulture));
            item.Name.ShouldBe(item.Event.GetType().Name);
            if (item.Event is OutputEvent line)
                output.Add(line);
            else
                completed = (CompletedEvent)item.Event;
        }

        return new Outcome(output, completed.ShouldNotBeNull("the stream has no end"));
    }

    public Task<Outcome> RunAsync(string command, int timeoutSeconds = ExecuteRequest.DefaultTimeoutSeconds) =>
        RunAsync(new ExecuteRequest { Command = command, TimeoutSeconds = timeoutSeconds });

    /// <summary>Asks for a WebSocket; for who wants to see what is said to that.</summary>
    public Task<HttpResponseMessage> UpgradeAsync(string path)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in ((string, string)[])[("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", Convert.ToBase64String(new byte[16]))])
            request.Headers.TryAddWithoutValidation(name, value);
        return _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public async Task<ExecutorStats> StatsAsync()
    {
        using var response = await SendAsync(HttpMethod.Get, "/api/stats");
        return JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(), ContractsJsonContext.Default.ExecutorStats)!;
    }

    public async Task<bool> IsHealthyAsync()
    {
        try
        {
            using var response = await SendAsync(HttpMethod.Get, "/healthz");
            return response.IsSuccessStatusCode && await response.Content.ReadAsStringAsync() == "Healthy";
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public static async IAsyncEnumerable<StreamItem> ReadAsync(
        HttpResponseMessage response, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken), new UTF8Encoding(false, true));
        string? name = null, id = null, data = null;
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith(": ", StringComparison.Ordinal))
                yield return new StreamItem(null, null, null, line[2..]);
            else if (line.StartsWith("event: ", StringComparison.Ordinal))
                name = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                data = line[6..];
            else if (line.StartsWith("id: ", StringComparison.Ordinal))
                id = line[4..];
            else if (data is not null)
            {
                line.ShouldBeEmpty();
                yield return new StreamItem(name, id, JsonSerializer.Deserialize(data, ContractsJsonContext.Default.ExecutionEvent), null);
                name = id = data = null;
            }
        }
    }

    public void Dispose() => _http.Dispose();

    private static async Task<string> FailureOf(HttpResponseMessage response) =>
        response.IsSuccessStatusCode ? "" : await response.Content.ReadAsStringAsync();
}
