using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>Asks one executor what runs in its sandbox. Whatever is not a plain answer is none: the sandbox may have made it.</summary>
internal sealed class ExecutorStatsReader(ISandboxBackend backend, SandboxTokens tokens, TimeProvider clock)
{
    private const int MaxAnswerBytes = 4096;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>One attempt of at most 5 s, the answer's body included.</summary>
    public async Task<StatsAnswer> AskAsync(Sandbox sandbox, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            var executor = backend.Connect(sandbox);
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(executor.BaseAddress, "api/stats"));
            request.Headers.Add(ExecutorProtocol.TokenHeader, tokens.TokenOf(sandbox.Name, sandbox.Nonce));
            using var response = await executor.Http.SendAsync(request, both.Token);
            return await UnderstandAsync(response, both.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new NoStats($"no answer within {Patience.TotalSeconds} s");
        }
        // Disposed: the sandbox went between Connect and here.
        catch (Exception e) when (e is HttpRequestException or IOException or ObjectDisposedException)
        {
            return new NoStats("its connection fails");
        }
        catch (JsonException)
        {
            return new NoStats("an answer that makes no sense");
        }
    }

    private static async Task<StatsAnswer> UnderstandAsync(HttpResponseMessage response, CancellationToken cancellationToken) => response.StatusCode switch
    {
        HttpStatusCode.OK when await ReadAsync(response, ContractsJsonContext.Default.ExecutorStats, cancellationToken) is { Running: >= 0, OpenStreams: >= 0 } stats =>
            new Stats(stats.Running > 0 || stats.OpenStreams > 0, stats.LastActivity?.ToUniversalTime()),
        HttpStatusCode.Conflict when await ReadAsync(response, ContractsJsonContext.Default.Problem, cancellationToken) is { Code: ErrorCodes.NotClaimed } =>
            new NotClaimed(),
        var status => new NoStats($"status {(int)status} and no stats"),
    };

    private static async Task<T?> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[MaxAnswerBytes + 1];
        var count = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return count > MaxAnswerBytes ? null : JsonSerializer.Deserialize(buffer.AsSpan(0, count), type);
    }
}

/// <summary>What an executor says of itself.</summary>
internal abstract record StatsAnswer;

/// <summary>It belongs to somebody.</summary>
/// <param name="IsBusy">A command runs, or a response is being streamed.</param>
/// <param name="LastActivity">When a command last did something, by the executor's word, which may be any time at all.</param>
internal sealed record Stats(bool IsBusy, DateTimeOffset? LastActivity) : StatsAnswer;

/// <summary>It has not answered, or not with what counts as an answer.</summary>
internal record NoStats(string Why) : StatsAnswer;

/// <summary>It says that nobody has claimed it.</summary>
internal sealed record NotClaimed() : NoStats("unclaimed by its own word");
