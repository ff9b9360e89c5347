using System.Net;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>Asks one executor whether it serves.</summary>
internal sealed class ExecutorHealth(ISandboxBackend backend, TimeProvider clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>One attempt of at most 1 s. <see langword="null"/>: it is healthy; else what happened instead.</summary>
    public async Task<string?> AskAsync(Sandbox sandbox, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            var executor = backend.Connect(sandbox);
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(executor.BaseAddress, "healthz"));
            using var response = await executor.Http.SendAsync(request, both.Token);
            return response.StatusCode == HttpStatusCode.OK ? null : $"Executor API answered {(int)response.StatusCode}";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return "Executor API did not answer within 1 s";
        }
        // Disposed: the sandbox went between Connect and here.
        catch (Exception e) when (e is HttpRequestException or ObjectDisposedException)
        {
            return $"Executor API is not reachable: {e.Message}";
        }
    }
}
