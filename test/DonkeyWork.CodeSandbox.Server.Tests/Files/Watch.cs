using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Files;

/// <summary>Somebody who watches a directory.</summary>
internal sealed class Watch(HttpResponseMessage response, StreamReader reader) : IAsyncDisposable
{
    public static async Task<Watch> StartAsync(FileSandbox sandbox, string path)
    {
        var response = await sandbox.SendAsync(HttpMethod.Get, "/watch", path);
        ((int)response.StatusCode).ShouldBe(200);
        response.Content.Headers.ContentType!.ToString().ShouldBe("text/event-stream");
        return new Watch(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
    }

    /// <summary>All changes up to the first such, or the stream's end.</summary>
    public async Task<List<FileChange>> UntilAsync(Func<FileChange, bool> isLast)
    {
        using var patience = new CancellationTokenSource(Published.Patience);
        var changes = new List<FileChange>();
        while (await reader.ReadLineAsync(patience.Token) is { } line)
        {
            if (!line.StartsWith("data: ", StringComparison.Ordinal))
                continue;
            changes.Add(JsonSerializer.Deserialize(line[6..], ContractsJsonContext.Default.FileChange)!);
            if (isLast(changes[^1]))
                break;
        }

        return changes;
    }

    public ValueTask DisposeAsync()
    {
        response.Dispose();
        reader.Dispose();
        return ValueTask.CompletedTask;
    }
}
