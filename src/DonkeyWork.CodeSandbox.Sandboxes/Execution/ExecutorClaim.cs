using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>Opens the executor of a sandbox of the pool, which each does once.</summary>
internal sealed class ExecutorClaim(ISandboxBackend backend, SandboxTokens tokens, TimeProvider clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Asks for at most 5 s, not to be cut short: whether a claim that was cut has happened, nobody knows. A sandbox is
    /// ready a little before its executor listens, so a connection that is not made is tried again.
    /// </summary>
    public async Task<ClaimAnswer> SendAsync(Sandbox sandbox, ClaimRequest claim)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(claim, ContractsJsonContext.Default.ClaimRequest);
        using var patience = new CancellationTokenSource(Patience, clock);
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                return await SendOnceAsync(sandbox, body, patience.Token);
            }
            catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConnectionError)
            {
                await Task.Delay(pause, clock, patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (patience.IsCancellationRequested) return Failed($"could not be reached within {Patience.TotalSeconds} s: {e.Message}");
            }
            catch (OperationCanceledException)
            {
                return Failed($"did not answer within {Patience.TotalSeconds} s");
            }
            // Disposed: the sandbox went between Connect and here.
            catch (Exception e) when (e is HttpRequestException or IOException or ObjectDisposedException)
            {
                return Failed($"broke the connection: {e.Message}");
            }
        }
    }

    private async Task<ClaimAnswer> SendOnceAsync(Sandbox sandbox, byte[] body, CancellationToken cancellationToken)
    {
        var executor = backend.Connect(sandbox);
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = JsonType;
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(executor.BaseAddress, "api/claim")) { Content = content };
        request.Headers.Add(ExecutorProtocol.TokenHeader, tokens.TokenOf(sandbox.Name, sandbox.Nonce));
        using var response = await executor.Http.SendAsync(request, cancellationToken);
        // Read to its end, so that the first command finds the connection open.
        await response.Content.CopyToAsync(Stream.Null, cancellationToken);
        return response.StatusCode switch
        {
            HttpStatusCode.OK => new ClaimAnswer(ClaimOutcome.Claimed, null),
            HttpStatusCode.Conflict when IsSameClaim(response) => new ClaimAnswer(ClaimOutcome.ClaimedBefore, "Its executor was opened by this claim before."),
            HttpStatusCode.Conflict => Failed("belongs to somebody else"),
            HttpStatusCode.Unauthorized => new ClaimAnswer(ClaimOutcome.Refused, "Its executor refuses this Manager: the sandbox was made with another secret."),
            var other => Failed($"answered {(int)other}"),
        };
    }

    private static bool IsSameClaim(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues(ExecutorProtocol.SameClaimHeader, out var values) && values.ToString() == "true";

    private static MediaTypeHeaderValue JsonType => new("application/json");

    private static ClaimAnswer Failed(string what) => new(ClaimOutcome.Failed, $"Its executor {what}.");
}

/// <summary>What came of the claim of an executor.</summary>
/// <param name="Outcome">That.</param>
/// <param name="Reason">Why it is not <see cref="ClaimOutcome.Claimed"/>; for people.</param>
internal sealed record ClaimAnswer(ClaimOutcome Outcome, string? Reason);

/// <summary>What may come of the claim of an executor.</summary>
internal enum ClaimOutcome
{
    /// <summary>It is open from now on.</summary>
    Claimed,

    /// <summary>It was opened before, by this very claim.</summary>
    ClaimedBefore,

    /// <summary>It knows another token than ours, and so may all others.</summary>
    Refused,

    /// <summary>It did not answer, or not as an executor does.</summary>
    Failed,
}
