using DonkeyWork.CodeSandbox.Server.Executions.Logs;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>Carries a log to one reader of a response, to the end of the execution, and breaks every silence.</summary>
/// <param name="timeProvider">Measures the silence.</param>
internal sealed class EventFollower(TimeProvider timeProvider)
{
    /// <summary>The longest silence.</summary>
    public static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(10);

    /// <summary>How long the rest of a character is awaited.</summary>
    private static readonly TimeSpan CharacterInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Sends the headers. They say that the command runs, however long it prints nothing.</summary>
    public static async Task BeginAsync(HttpContext context, string mediaType)
    {
        context.Response.ContentType = mediaType;
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        await context.Response.StartAsync(context.RequestAborted);
        // StartAsync only writes the headers down.
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>Returns when <c>exited</c> was written.</summary>
    /// <param name="execution">Whose log it is.</param>
    /// <param name="reader">Where in the log to begin.</param>
    /// <param name="stream">Writes the events.</param>
    /// <param name="cancellationToken">The caller is gone.</param>
    /// <exception cref="OperationCanceledException">The caller is gone.</exception>
    public async Task FollowAsync(Execution execution, OutputLogReader reader, IEventStream stream, CancellationToken cancellationToken)
    {
        var lastWrite = timeProvider.GetTimestamp();
        var holdsBack = false;
        await using var alarm = timeProvider.CreateTimer(
            static state => ((OutputLogReader)state!).Wake(), reader, KeepAliveInterval, Timeout.InfiniteTimeSpan);
        while (true)
        {
            if (!reader.HasNext)
            {
                if (stream.HasCollected)
                {
                    reader.Rest();
                    await stream.FlushAsync(cancellationToken);
                    lastWrite = timeProvider.GetTimestamp();
                }

                reader.Sent(stream.Position);
            }

            if (stream.HoldsBack != holdsBack)
            {
                holdsBack = stream.HoldsBack;
                if (holdsBack)
                    alarm.Change(CharacterInterval, Timeout.InfiniteTimeSpan);
            }

            var item = await reader.NextAsync(cancellationToken);
            switch (item.Kind)
            {
                case LogItemKind.Output:
                    await stream.OutputAsync(item, cancellationToken);
                    break;
                case LogItemKind.Truncated:
                    await stream.TruncatedAsync(item, cancellationToken);
                    break;
                case LogItemKind.End:
                    await stream.ReleaseAsync(cancellationToken);
                    await stream.ExitedAsync(execution.State, item.Position, cancellationToken);
                    await stream.FlushAsync(cancellationToken);
                    return;
                default:
                    await stream.ReleaseAsync(cancellationToken);
                    var silence = timeProvider.GetElapsedTime(lastWrite);
                    if (silence >= KeepAliveInterval)
                        await stream.KeepAliveAsync(cancellationToken);
                    alarm.Change(silence < KeepAliveInterval ? KeepAliveInterval - silence : KeepAliveInterval, Timeout.InfiniteTimeSpan);
                    break;
            }
        }
    }
}
