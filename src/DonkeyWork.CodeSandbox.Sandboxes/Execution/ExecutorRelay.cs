using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>
/// Passes requests on to executors. Bodies go through unparsed in both directions; of what the executor says beside its
/// body only a fixed list is believed.
/// </summary>
public sealed class ExecutorRelay(
    SandboxService sandboxes, SandboxRegistry registry, ActivityRecorder activity, ISandboxBackend backend, SandboxTokens tokens, TimeProvider clock)
{
    /// <summary>How long a connection that fails waits for the news that its sandbox has ended: that comes a moment later.</summary>
    public static readonly TimeSpan NewsPatience = TimeSpan.FromSeconds(1);

    /// <summary>Sends a request to the sandbox's executor and returns when its headers are there; the body is the caller's to copy.</summary>
    /// <param name="name">Whatever stands in the path in place of a sandbox's name.</param>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Cancelling it closes the connection, and the executor kills what this request has started.</param>
    /// <exception cref="SandboxException">
    /// <see cref="ErrorCodes.SandboxNotFound"/>, <see cref="ErrorCodes.SandboxNotReady"/>,
    /// <see cref="ErrorCodes.ExecutorUnreachable"/>, <see cref="ErrorCodes.ExecutorError"/>.
    /// </exception>
    /// <exception cref="BackendUnavailableException">The sandbox had to be read live, and the backend cannot be reached.</exception>
    public async Task<ExecutorResponse> SendAsync(string name, ExecutorRequest request, CancellationToken cancellationToken)
    {
        var sandbox = await activity.TouchAsync(await sandboxes.FindReadyAsync(name, cancellationToken), cancellationToken);
        var response = await SendAsync(sandbox, request, cancellationToken);
        try
        {
            return new ExecutorResponse(response, AnswerRules.Check(name, request, response), request.IsTimed, clock);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(Sandbox sandbox, ExecutorRequest request, CancellationToken cancellationToken)
    {
        using var silence = new CancellationTokenSource(Timeout.InfiniteTimeSpan, clock);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(silence.Token, cancellationToken);
        // The executor's time begins when it has been told everything.
        void StartCounting()
        {
            if (request.IsTimed) silence.CancelAfter(ExecutorResponse.Silence);
        }

        using var early = request.MayBeAnsweredEarly ? new EarlyAnswer(clock) : null;
        using var body = request.Body is null ? null : new RelayedBody(request, StartCounting, early?.Given ?? CancellationToken.None);
        if (body is null) StartCounting();
        try
        {
            var executor = backend.Connect(sandbox);
            using var message = MessageOf(request, new Uri(executor.BaseAddress, request.Path), body);
            message.Headers.Add(ExecutorProtocol.TokenHeader, tokens.TokenOf(sandbox.Name, sandbox.Nonce));
            try
            {
                return await executor.Http.SendAsync(message, both.Token);
            }
            finally
            {
                // An answer may come first; from here on the caller's side is somebody else's to read.
                if (body is not null) await body.EndAsync();
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && body?.CallerFault is null)
        {
            throw await WhyAsync(sandbox, null, cancellationToken);
        }
        // Disposed: the sandbox went between Connect and here.
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException or ObjectDisposedException && !cancellationToken.IsCancellationRequested)
        {
            if (body?.CallerFault is { } fault) ExceptionDispatchInfo.Throw(fault);
            throw await WhyAsync(sandbox, e, cancellationToken);
        }
    }

    private static HttpRequestMessage MessageOf(ExecutorRequest request, Uri address, RelayedBody? body)
    {
        // What has no content is sent again by SocketsHttpHandler where the connection ends before an answer, carried out or not
        // (https://github.com/dotnet/runtime/issues/86714).
        var mayRepeat = request.Method == HttpMethod.Get || request.Method == HttpMethod.Head;
        var message = new HttpRequestMessage(request.Method, address) { Content = body ?? (mayRepeat ? null : (HttpContent)new ByteArrayContent([])) };
        foreach (var (name, value) in request.Headers) message.Headers.TryAddWithoutValidation(name, value);
        if (request.AsksForWebSocket) WebSocketHandshake.Ask(message.Headers);
        // Nothing is sent to an executor that refuses at once; and what it did not read must not be read as another request.
        if (request.MayBeAnsweredEarly) (message.Headers.ExpectContinue, message.Headers.ConnectionClose) = (true, true);
        return message;
    }

    // An executor that does not answer may be one whose sandbox is gone.
    private async Task<SandboxException> WhyAsync(Sandbox sandbox, Exception? e, CancellationToken cancellationToken)
    {
        var isAnswer = e is HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.ConfigurationLimitExceeded };
        var live = await ReadAsync(sandbox, e is null || isAnswer ? TimeSpan.Zero : NewsPatience, cancellationToken);
        if (!IsThere(sandbox, live))
            return SandboxException.NotFound(sandbox.Name, live is { HasEnded: true } && live.Uid == sandbox.Uid ? live.Message : null);
        return isAnswer
            ? SandboxException.ExecutorError(sandbox.Name, "a response that is not valid HTTP or too large", e)
            : SandboxException.ExecutorUnreachable(sandbox.Name, e, ConnectionFailure.WordsFor(e));
    }

    private async Task<Sandbox?> ReadAsync(Sandbox sandbox, TimeSpan patience, CancellationToken cancellationToken)
    {
        var live = await registry.ReadAsync(sandbox.Name, cancellationToken);
        var began = clock.GetTimestamp();
        while (IsThere(sandbox, live) && patience - clock.GetElapsedTime(began) is { Ticks: > 0 } left)
            live = await registry.NextAsync(sandbox.Name, live, left, cancellationToken);
        return live;
    }

    private static bool IsThere(Sandbox sandbox, Sandbox? live) => live is { IsAlive: true } && live.Uid == sandbox.Uid;
}
