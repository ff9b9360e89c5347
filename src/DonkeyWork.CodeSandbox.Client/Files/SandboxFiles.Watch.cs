using System.Runtime.CompilerServices;
using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Client.Streaming;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <content>What happens to files.</content>
public sealed partial class SandboxFiles
{
    /// <summary>
    /// What happens to a file, or in a directory and all below it, without end. The first is an <see cref="FileChangeType.Overflow"/>: from
    /// here on changes are told, so look at everything now. There is another wherever some may have been missed: the connection broke
    /// and was made again, or more happened than can be told.
    /// </summary>
    /// <param name="path">The file's or directory's.</param>
    /// <param name="cancellationToken">Ends it, as leaving the loop does.</param>
    /// <exception cref="SandboxFileNotFoundException">There is none.</exception>
    /// <exception cref="CodeSandboxException"><see cref="ErrorCodes.TooManyWatches"/>, or another by its code.</exception>
    public async IAsyncEnumerable<FileChange> WatchAsync(string path, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var persistence = new Persistence(_sandbox.Options);
        while (true)
        {
            var changes = await OpenAsync().ConfigureAwait(false);
            await using (changes.ConfigureAwait(false))
            {
                yield return new FileChange { Type = FileChangeType.Overflow, Path = path };
                while (await NextAsync(changes).ConfigureAwait(false) is { } change)
                    yield return change;
            }
        }

        async Task<EventStream<FileChange>> OpenAsync()
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                try
                {
                    var changes = await _sandbox.Server
                        .OpenEventsAsync<FileChange>(_routes.Watch(path), persistence.AttemptTimeout, cancellationToken).ConfigureAwait(false);
                    persistence.Connected();
                    return changes;
                }
                catch (CodeSandboxException e)
                {
                    await _sandbox.PauseAsync(persistence, e, cancellationToken).ConfigureAwait(false);
                }
            }
        }

        // The next change, or null where the connection is to be made again.
        async ValueTask<FileChange?> NextAsync(EventStream<FileChange> changes)
        {
            var begun = _sandbox.Options.TimeProvider.GetTimestamp();
            try
            {
                var next = await changes.NextAsync().ConfigureAwait(false)
                    ?? throw new InterruptedException(ClientErrorCodes.ResponseCut, $"{changes.From.Name} ended a stream that has no end.");
                persistence.Progressed();
                return next;
            }
            catch (InterruptedException e)
            {
                _sandbox.Server.Leave(changes.From);
                // Quiet is what a watch is for; it was served all that time.
                if (_sandbox.Options.TimeProvider.GetElapsedTime(begun) > _sandbox.Options.StreamIdleTimeout)
                    persistence.Progressed();
                await _sandbox.PauseAsync(persistence, e, cancellationToken).ConfigureAwait(false);
                return null;
            }
        }
    }
}
