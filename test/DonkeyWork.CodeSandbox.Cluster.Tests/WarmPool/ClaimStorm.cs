using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.WarmPool;

/// <summary>
/// Many callers who claim at the same time, over plain HTTP and each request with the next Manager: each claim until it is
/// answered, then one command in the sandbox, which must be nobody else's, then its deletion. Who gets no answer goes on with
/// another Manager, without a claim id: that is a new claim.
/// </summary>
internal sealed partial class ClaimStorm(ManagerFleet fleet, int claims, int callers) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };
    private readonly CancellationTokenSource _broken = new();
    private readonly TaskCompletionSource[] _answered = [.. Enumerable.Range(0, claims + 1).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))];
    private readonly ConcurrentQueue<ClaimAnswer> _answers = new();
    private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);
    private int _answerCount;
    private int _begun;
    private int _turn;

    /// <summary>When so many claims have been answered, or it is known that they will not be.</summary>
    public Task Answered(int count) => _answered[count].Task.WaitAsync(_broken.Token);

    /// <summary>Returns when every claim was answered, and its sandbox used and deleted.</summary>
    /// <param name="faults">What strikes meanwhile.</param>
    public async Task<StormReport> RunAsync(Func<Task>? faults = null)
    {
        var took = Stopwatch.StartNew();
        await Task.WhenAll([WhileAllIsWellAsync(faults ?? (() => Task.CompletedTask)), .. Enumerable.Range(0, callers).Select(_ => WhileAllIsWellAsync(CallAsync))]);
        return new StormReport([.. _answers], _counts, took.Elapsed);
    }

    public void Dispose()
    {
        _http.Dispose();
        _broken.Dispose();
    }

    // What fails first is the cause of what would fail after it, and is not to wait for that.
    private async Task WhileAllIsWellAsync(Func<Task> part)
    {
        try
        {
            await part();
        }
        catch (OperationCanceledException) when (_broken.IsCancellationRequested)
        {
            // Another part says why.
        }
        catch
        {
            await _broken.CancelAsync();
            throw;
        }
    }

    private async Task CallAsync()
    {
        while (Interlocked.Increment(ref _begun) is var number && number <= claims)
        {
            var token = $"claim-{Guid.NewGuid():N}";
            var name = await ClaimAsync($"user {number}", token);
            await UseAsync(name, token);
            await DeleteAsync(name);
        }
    }

    private async Task<string> ClaimAsync(string user, string token)
    {
        var body = JsonSerializer.Serialize(new { userId = user, waitSeconds = 60, environmentVariables = new { CLAIM = token } });
        var name = "";
        var took = Stopwatch.StartNew();
        await InTheEndAsync("claim", HttpMethod.Post, "allocate", body, (response, text, _) =>
        {
            if (response.StatusCode != HttpStatusCode.OK) return false;
            name = JsonDocument.Parse(text).RootElement.GetProperty("name").GetString()!;
            return true;
        });
        _answers.Enqueue(new ClaimAnswer(user, name, took.Elapsed));
        _answered[Interlocked.Increment(ref _answerCount)].SetResult();
        return name;
    }

    // What two owners of one sandbox would see is the other's token.
    private Task UseAsync(string name, string token) => InTheEndAsync(
        "command", HttpMethod.Post, $"{name}/execute", JsonSerializer.Serialize(new { command = $"echo {token} $CLAIM >>~/claims; cat ~/claims" }), (response, text, _) =>
        {
            if (IsLost(response)) return true;
            if (response.StatusCode != HttpStatusCode.OK || !text.Contains("CompletedEvent", StringComparison.Ordinal)) return false;
            var tokens = Token().Matches(text).Select(match => match.Value).Distinct().ToList();
            if (tokens is not [var only] || only != token) Count(StormReport.Traces);
            if (!text.Contains($"{token} {token}", StringComparison.Ordinal)) Count(StormReport.Bare);
            return true;
        });

    private Task DeleteAsync(string name) => InTheEndAsync("delete", HttpMethod.Delete, name, null, (response, _, isRepeated) =>
            // What was not answered may have happened.
            response.StatusCode == HttpStatusCode.OK || (isRepeated && response.StatusCode == HttpStatusCode.NotFound) || IsLost(response));

    private bool IsLost(HttpResponseMessage response)
    {
        if (response.StatusCode != HttpStatusCode.NotFound) return false;
        Count(StormReport.Lost);
        return true;
    }

    private async Task InTheEndAsync(string what, HttpMethod method, string path, string? body, Func<HttpResponseMessage, string, bool, bool> isDone)
    {
        var last = "";
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_broken.Token);
        patience.CancelAfter(Patience.Limit);
        while (true)
        {
            var manager = fleet[Interlocked.Increment(ref _turn)];
            using var request = new HttpRequestMessage(method, new Uri(manager.Url, $"/api/kata/{path}"));
            if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            try
            {
                using var response = await _http.SendAsync(request, patience.Token);
                var text = await response.Content.ReadAsStringAsync(patience.Token);
                if (isDone(response, text, last != "")) return;
                last = $"{what} refused: {(int)response.StatusCode} {CodeOf(text)}";
            }
            catch (HttpRequestException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused })
            {
                last = $"{what} not made: no Manager there";
            }
            catch (Exception broken) when (broken is HttpRequestException or IOException)
            {
                last = $"{what} unanswered: connection broken";
            }
            catch (OperationCanceledException) when (!_broken.IsCancellationRequested)
            {
                throw new TimeoutException($"No end of it: {what} of {path} at {manager.Url}; before that: {last}.\n{fleet.Log}");
            }

            Count(last);
            await Task.Delay(Pause, TimeProvider.System, _broken.Token);
        }
    }

    private void Count(string what) => _counts.AddOrUpdate(what, 1, (_, count) => count + 1);

    private static string CodeOf(string problem)
    {
        try
        {
            return JsonDocument.Parse(problem).RootElement.GetProperty("code").GetString()!;
        }
        catch (JsonException)
        {
            // A stream that was cut.
            return "cut";
        }
    }

    [GeneratedRegex("claim-[0-9a-f]{32}")]
    private static partial Regex Token();
}

/// <summary>A claim that was answered, and how long its caller waited for that, attempts that failed included.</summary>
internal sealed record ClaimAnswer(string User, string Name, TimeSpan Took);
