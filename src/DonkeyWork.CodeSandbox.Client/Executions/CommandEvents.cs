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
        Func<StreamInterruptedException, CancellationToken, Task<Exception>> explain,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var events = await server.OpenStreamAsync<ExecuteRequest, ExecutionEvent>(path, request, cancellationToken).ConfigureAwait(false);
        try
        {
            ExecutionEvent next;
            do
            {
                yield return next = await NextAsync().ConfigureAwait(false);
            }
            while (next is not CompletedEvent);
            await events.EndAsync().ConfigureAwait(false);
        }
        finally
        {
            await events.DisposeAsync().ConfigureAwait(false);
        }

        async ValueTask<ExecutionEvent> NextAsync()
        {
            // Between two reads nobody else would notice.
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                return await events.NextAsync().ConfigureAwait(false)
                    ?? throw new StreamInterruptedException(
                        ClientErrorCodes.StreamCut, $"{server.Name} ended the stream before the command was complete.");
            }
            catch (StreamInterruptedException e)
            {
                throw await explain(e, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
