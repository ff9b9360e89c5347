using System.Net;
using System.Runtime.ExceptionServices;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Connection;

/// <summary>How long something that may be repeated is tried again without any progress: <see cref="ConnectionOptions.ReconnectTimeout"/>.</summary>
internal sealed class Persistence(ConnectionOptions options)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ShortestAttempt = TimeSpan.FromSeconds(5);

    private int _failures;
    private long? _firstFailure;

    /// <summary>How long one attempt may take, so that a server which does not answer leaves time for another.</summary>
    public TimeSpan AttemptTimeout
    {
        get
        {
            if (!HasEnd)
                return options.RequestTimeout;
            var share = options.ReconnectTimeout / 4;
            return Shorter(options.RequestTimeout, share > ShortestAttempt ? share : ShortestAttempt);
        }
    }

    private bool HasEnd => options.ReconnectTimeout != Timeout.InfiniteTimeSpan;

    /// <summary>Whether it is the server that failed, or the way to it, and another may do better.</summary>
    public static bool IsOfTheServer(CodeSandboxException e) =>
        e.Code is ErrorCodes.Stopping or ErrorCodes.Interrupted or ErrorCodes.BackendUnavailable or ClientErrorCodes.Unreachable
            // Its way to the sandbox, here.
            or ErrorCodes.ExecutorUnreachable
            or ClientErrorCodes.RequestTimeout or ClientErrorCodes.ResponseCut or ClientErrorCodes.StreamIdle
        // A load balancer's own page.
        || (e.Code == ClientErrorCodes.UnexpectedResponse
            && e.StatusCode is HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout);

    /// <summary>Whether nothing can have come of the request.</summary>
    public static bool WasNotBegun(CodeSandboxException e) => e.Code is ErrorCodes.Stopping or ClientErrorCodes.Unreachable;

    /// <summary>Something came: the time begins anew with the next failure.</summary>
    public void Progressed() => (_failures, _firstFailure) = (0, null);

    /// <summary>The way is there, though nothing has come: the time begins anew with the next failure; the pauses go on growing.</summary>
    public void Connected() => _firstFailure = null;

    /// <summary>Waits before the next attempt, longer each time.</summary>
    /// <exception cref="CodeSandboxException">The failure, where another attempt makes no sense or there is no time left for one.</exception>
    public async Task PauseAsync(CodeSandboxException failure, CancellationToken cancellationToken)
    {
        var firstFailure = _firstFailure ??= options.TimeProvider.GetTimestamp();
        var pause = Shorter(FirstPause * Math.Pow(2, Math.Min(_failures++, 16)), LongestPause) * (0.5 + (Random.Shared.NextDouble() / 2));
        if (!IsOfTheServer(failure)
            || (HasEnd && options.TimeProvider.GetElapsedTime(firstFailure) + pause >= options.ReconnectTimeout))
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        await Task.Delay(pause, options.TimeProvider, cancellationToken).ConfigureAwait(false);
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) =>
        one != Timeout.InfiniteTimeSpan && one < other ? one : other;
}
