using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Tests.Running;

/// <summary>How events come.</summary>
public enum Framing
{
    Text,
    Frames,
}

/// <summary>Speaks <c>/api/executions</c>, and checks of every stream what must hold of all.</summary>
internal static class ExecutionsApi
{
    private const string Executions = "/api/executions";

    public static Task<HttpResponseMessage> PostStartAsync(this ExecutorApi api, StartExecutionRequest request, string? accept = null)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(request, ContractsJsonContext.Default.StartExecutionRequest));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return api.SendAsync(HttpMethod.Post, Executions, content, accept: accept);
    }

    /// <summary>Starts, or attaches.</summary>
    public static async Task<ExecutionState> StartAsync(this ExecutorApi api, StartExecutionRequest request)
    {
        using var response = await api.PostStartAsync(request);
        return await StateOf(response);
    }

    public static Task<ExecutionState> StartAsync(this ExecutorApi api, string command) => api.StartAsync(new StartExecutionRequest { Command = command });

    public static async Task<ExecutionState> StateAsync(this ExecutorApi api, string id)
    {
        using var response = await api.SendAsync(HttpMethod.Get, $"{Executions}/{id}");
        return await StateOf(response);
    }

    public static async Task<IReadOnlyList<ExecutionState>> ListAsync(this ExecutorApi api)
    {
        using var response = await api.SendAsync(HttpMethod.Get, Executions);
        return JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(), ContractsJsonContext.Default.IReadOnlyListExecutionState)!;
    }

    public static Task<HttpResponseMessage> DeleteAsync(this ExecutorApi api, string id) =>
        api.SendAsync(HttpMethod.Delete, $"{Executions}/{id}");

    public static Task<HttpResponseMessage> SignalAsync(this ExecutorApi api, string id, string signal) =>
        api.PostAsync($"{Executions}/{id}/signal", $$"""{"signal":"{{signal}}"}""");

    public static Task<HttpResponseMessage> PostStdinAsync(this ExecutorApi api, string id, HttpContent content, long? offset = null) =>
        api.SendAsync(HttpMethod.Post, $"{Executions}/{id}/stdin{(offset is null ? "" : $"?offset={offset}")}", content);

    public static Task<HttpResponseMessage> CloseStdinAsync(this ExecutorApi api, string id) =>
        api.SendAsync(HttpMethod.Delete, $"{Executions}/{id}/stdin");

    public static Task<HttpResponseMessage> GetEventsAsync(this ExecutorApi api, string id, Framing framing, long after = 0, string? query = null) =>
        api.SendAsync(HttpMethod.Get, $"{Executions}/{id}/events?after={after}{query}", accept: MediaType(framing));

    public static string MediaType(Framing framing) => framing == Framing.Text ? "text/event-stream" : ExecutionEventNames.FramesMediaType;

    /// <summary>The events behind a position. Leaving them disconnects.</summary>
    public static async IAsyncEnumerable<ExecutionItem> EventsAsync(
        this ExecutorApi api, string id, Framing framing, long after = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var response = await api.GetEventsAsync(id, framing, after);
        ((int)response.StatusCode).ShouldBe(200);
        await foreach (var item in ReadAsync(response, framing, after, cancellationToken: cancellationToken))
            yield return item;
    }

    /// <summary>The items of a response; positions must add up, unless it skips output, and nothing may follow <c>exited</c>.</summary>
    public static async IAsyncEnumerable<ExecutionItem> ReadAsync(
        HttpResponseMessage response, Framing framing, long after, bool skips = false, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        response.Content.Headers.ContentType?.MediaType.ShouldBe(MediaType(framing));
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        var position = after;
        var hasExited = false;
        await foreach (var item in framing == Framing.Text ? ReadTextAsync(stream, cancellationToken) : ReadFramesAsync(stream, cancellationToken))
        {
            hasExited.ShouldBeFalse("an event after the last");
            if (item.Name == ExecutionItem.KeepAlive)
            {
                yield return item;
                continue;
            }

            var size = item.Name switch
            {
                ExecutionEventNames.Started => 1,
                ExecutionEventNames.Truncated => item.Truncated,
                ExecutionEventNames.Exited => 0,
                _ => item.Bytes.Length,
            };
            item.Bytes.Length.ShouldBeLessThanOrEqualTo(65_536 + 3);
            hasExited = item.Exited is not null;
            if (hasExited && !skips)
                item.Position.ShouldBeInRange(position, position + 1);
            else if (!hasExited)
                item.Position.ShouldBe(position + size);
            position = item.Position;
            yield return item;
        }

        hasExited.ShouldBeTrue("the stream has no end");
    }

    private static async IAsyncEnumerable<ExecutionItem> ReadTextAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(stream, new UTF8Encoding(false, true));
        string? name = null, data = null;
        long? id = null;
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line == ": keepalive")
                yield return new ExecutionItem(ExecutionItem.KeepAlive, 0);
            else if (line.StartsWith("event: ", StringComparison.Ordinal))
                name = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
                data = line[6..];
            else if (line.StartsWith("id: ", StringComparison.Ordinal))
                id = long.Parse(line[4..], null);
            else if (data is not null)
            {
                line.ShouldBeEmpty();
                yield return ExecutionItem.Parse(name!, id!.Value, data);
                (name, data, id) = (null, null, null);
            }
        }
    }

    private static async IAsyncEnumerable<ExecutionItem> ReadFramesAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var header = new byte[ExecutionFrame.HeaderBytes];
        while (await stream.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellationToken) is var count and > 0)
        {
            count.ShouldBe(header.Length);
            var frame = ExecutionFrame.Read(header);
            var payload = new byte[frame.Length];
            await stream.ReadExactlyAsync(payload, cancellationToken);
            if (frame.Stream != ExecutionFrame.EventStream)
                yield return new ExecutionItem(ExecutionEventNames.Output, frame.Position) { Channel = (OutputChannel)frame.Stream, Bytes = payload };
            else if (frame.Length == 0)
                yield return new ExecutionItem(ExecutionItem.KeepAlive, frame.Position);
            else
                yield return ParseEvent(frame.Position, payload);
        }
    }

    private static ExecutionItem ParseEvent(long position, byte[] payload)
    {
        using var json = JsonDocument.Parse(payload);
        return ExecutionItem.Parse(json.RootElement.GetProperty("event").GetString()!, position, json.RootElement.GetRawText());
    }

    private static async Task<ExecutionState> StateOf(HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsStringAsync();
        response.IsSuccessStatusCode.ShouldBeTrue(body);
        return JsonSerializer.Deserialize(body, ContractsJsonContext.Default.ExecutionState)!;
    }
}
