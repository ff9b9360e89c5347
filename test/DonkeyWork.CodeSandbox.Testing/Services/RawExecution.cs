using System.Net;
using System.Net.Http.Json;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>One execution as plain HTTP shows it, without our client.</summary>
public sealed class RawExecution
{
    private readonly HttpClient _http;

    private RawExecution(HttpClient http, string sandbox, JsonElement state)
    {
        (_http, Started) = (http, state);
        Id = state.GetProperty("id").GetString()!;
        Path = $"/api/kata/{sandbox}/executions/{Id}";
    }

    public string Id { get; }

    public string Path { get; }

    /// <summary>The answer of the start.</summary>
    public JsonElement Started { get; }

    /// <param name="http">Of a Manager.</param>
    /// <param name="sandbox">Where.</param>
    /// <param name="start">The body, such as <c>new { command = "true" }</c>.</param>
    /// <param name="expected">201, or 200 where it is there already.</param>
    public static async Task<RawExecution> StartAsync(HttpClient http, string sandbox, object start, HttpStatusCode expected = HttpStatusCode.Created)
    {
        using var response = await http.PostAsJsonAsync($"/api/kata/{sandbox}/executions", start);
        var text = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(expected, text);
        return new RawExecution(http, sandbox, JsonDocument.Parse(text).RootElement);
    }

    /// <summary>The same, where the command's default is that of a start that asks for the stream.</summary>
    public static Task<RawExecution> StartWaitingAsync(HttpClient http, string sandbox, string command) =>
        StartAsync(http, sandbox, new { command, overflow = "wait", timeoutSeconds = 600 });

    /// <summary>Its state now.</summary>
    public Task<JsonElement> GetAsync() => _http.GetFromJsonAsync<JsonElement>(Path);

    /// <summary>Its stream, to its end.</summary>
    public async IAsyncEnumerable<StreamItem> ReadAsync(Framing framing = Framing.Frames, long after = 0, [EnumeratorCancellation] CancellationToken stop = default)
    {
        using var response = await OpenAsync(framing, after, stop);
        await using var stream = await response.Content.ReadAsStreamAsync(stop);
        await foreach (var item in StreamReading.ReadAsync(stream, framing, stop)) yield return item;
    }

    /// <summary>The answer of <c>events</c>, unread.</summary>
    public async Task<HttpResponseMessage> OpenAsync(Framing framing, long after = 0, CancellationToken stop = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Path}/events?after={after}");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(framing == Framing.Frames ? ExecutionEventNames.FramesMediaType : "text/event-stream"));
        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return response;
    }

    /// <summary>Waits until it has ended; how.</summary>
    public async Task<JsonElement> WaitAsync()
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        await foreach (var item in ReadAsync(after: 0, stop: patience.Token))
            if (item.Name == ExecutionEventNames.Exited) return item.Json;
        throw new InvalidDataException("The stream has no exited.");
    }

    /// <summary>All that it prints, as text, and how it ended.</summary>
    public async Task<(string Output, JsonElement Exited)> ReadTextAsync(Framing framing = Framing.Frames)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        using var output = new MemoryStream();
        await foreach (var item in ReadAsync(framing, stop: patience.Token))
        {
            output.Write(item.Bytes);
            if (item.Name == ExecutionEventNames.Exited) return (Encoding.UTF8.GetString(output.ToArray()), item.Json);
        }

        throw new InvalidDataException("The stream has no exited.");
    }

    /// <summary>Waits until it has printed something, on either stream.</summary>
    public async Task UntilPrintedAsync(string text)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        var output = "";
        try
        {
            await foreach (var item in ReadAsync(stop: patience.Token))
            {
                output += Encoding.UTF8.GetString(item.Bytes);
                if (output.Contains(text, StringComparison.Ordinal)) return;
            }
        }
        catch (OperationCanceledException)
        {
            // Below.
        }

        throw new TimeoutException($"It has not printed \"{text}\": {output}");
    }

    public async Task DeleteAsync()
    {
        using var response = await _http.DeleteAsync(Path);
        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    public async Task SignalAsync(string signal)
    {
        using var response = await _http.PostAsJsonAsync($"{Path}/signal", new { signal });
        response.IsSuccessStatusCode.ShouldBeTrue(await response.Content.ReadAsStringAsync());
    }
}
