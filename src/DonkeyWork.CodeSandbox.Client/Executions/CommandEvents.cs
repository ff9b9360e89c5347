using System.Runtime.CompilerServices;
using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Client.Streaming;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Executions;

/// <summary>Runs one command and yields what it says, ending in exactly one <see cref="CompletedEvent"/> or an exception.</summary>
internal static class CommandEvents
{
    /// <param name="server">Who runs it.</param>
    /// <param name="path">The execute route there.</param>
    /// <param name="request">The command.</param>
    /// <param name="explain">Asked once when the stream is interrupted: what to throw instead.</param>
    /// <param name="cancellationToken">Ends the command.</param>
    public static async IAsyncEnumerable<ExecutionEvent> ReadAsync(
        ServerConnection server,
        string path,
        ExecuteRequest request,
        Func<InterruptedException, CancellationToken, Task<InterruptedException>> explain,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var events = await ExplainingAsync(
            () => new ValueTask<EventStream<ExecutionEvent>>(
                server.OpenEventsAsync<ExecuteRequest, ExecutionEvent>(path, request, cancellationToken))).ConfigureAwait(false);
        Func<ValueTask<ExecutionEvent>> read = NextAsync;
        try
        {
            ExecutionEvent next;
            do
            {
                // Between two reads nobody else would notice.
                cancellationToken.ThrowIfCancellationRequested();
                yield return next = await ExplainingAsync(read).ConfigureAwait(false);
            }
            while (next is not CompletedEvent);
            await events.EndAsync().ConfigureAwait(false);
        }
        finally
        {
            await events.DisposeAsync().ConfigureAwait(false);
        }

        async ValueTask<ExecutionEvent> NextAsync() =>
            await events.NextAsync().ConfigureAwait(false)
                ?? throw new InterruptedException(
                    ClientErrorCodes.ResponseCut, $"{server.Name} ended the stream before the command was complete.");

        async ValueTask<T> ExplainingAsync<T>(Func<ValueTask<T>> act)
        {
            try
            {
                return await act().ConfigureAwait(false);
            }
            catch (InterruptedException e)
            {
                throw await explain(e, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
