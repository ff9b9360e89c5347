using System.Collections.Concurrent;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>The executors of all sandboxes of a core, told apart by their tokens. Each opens once, as real ones do.</summary>
internal sealed class ClaimableExecutors : IAsyncDisposable
{
    private readonly ScriptedExecutor _executor;
    private readonly ConcurrentDictionary<string, ClaimRequest> _claims = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _answering;

    public ClaimableExecutors(ScriptedExecutor executor)
    {
        _executor = executor;
        _answering = AnswerAllAsync();
    }

    /// <summary>What is done with a claim instead of answering it; <see langword="false"/>: answer it.</summary>
    public Func<string, ExecutorCall, Task<bool>> Instead { get; set; } = (_, _) => Task.FromResult(false);

    /// <summary>How many claims have come, answered or not.</summary>
    public int Calls { get; private set; }

    /// <summary>By token, what each was opened with.</summary>
    public IReadOnlyDictionary<string, ClaimRequest> Claims => _claims;

    /// <summary>Opens one as another Manager would.</summary>
    public void Open(string token, ClaimRequest claim) => _claims[token] = claim;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await ((Task)_answering).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private static bool IsSame(ClaimRequest one, ClaimRequest other) => one.ClaimId is not null && (one.Owner, one.ClaimId) == (other.Owner, other.ClaimId);

    private async Task AnswerAllAsync()
    {
        while (true)
        {
            var call = await _executor.NextCallAsync().WaitAsync(_stop.Token);
            call.Target.ShouldBe("/api/claim");
            Calls++;
            var token = call.Header(ExecutorProtocol.TokenHeader)!;
            if (await Instead(token, call)) continue;
            var claim = JsonSerializer.Deserialize(call.Body, ContractsJsonContext.Default.ClaimRequest)!;
            if (_claims.TryAdd(token, claim)) await call.AnswerAsync("200 OK", "application/json", "{}");
            else await call.AnswerAsync("409 Conflict", Problem.MediaType, """{"code":"already_claimed"}""", IsSame(_claims[token], claim) ? $"{ExecutorProtocol.SameClaimHeader}: true\r\n" : "");
        }
    }
}
