using System.Collections.Concurrent;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Sandboxes;

public sealed partial class SandboxService
{
    private const int ParallelDeletes = 8;
    private static readonly TimeSpan FirstDeletePause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDeletePause = TimeSpan.FromSeconds(15);

    /// <summary>Deletes a living sandbox. From here on it is neither listed nor found.</summary>
    /// <exception cref="SandboxException"><see cref="ErrorCodes.SandboxNotFound"/>: of two who delete, one gets this.</exception>
    /// <exception cref="BackendUnavailableException">The backend cannot be reached.</exception>
    public async Task DeleteAsync(string name, CancellationToken cancellationToken)
    {
        var sandbox = await FindAsync(name, cancellationToken);
        if (!await RemoveAsync(sandbox, cancellationToken)) throw SandboxException.NotFound(name);
    }

    /// <summary>Deletes every sandbox there is, the remains of ended ones included.</summary>
    /// <exception cref="BackendUnavailableException">The backend has not been listed yet.</exception>
    public async Task<DeleteAllResult> DeleteAllAsync(CancellationToken cancellationToken)
    {
        await registry.WaitUntilListedAsync(cancellationToken);
        var outcomes = new ConcurrentBag<(string Name, bool Deleted)>();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = ParallelDeletes, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(registry.All.Where(sandbox => !sandbox.IsDeleting), parallel, async (sandbox, stop) =>
        {
            try
            {
                if (await RemoveAsync(sandbox, stop)) outcomes.Add((sandbox.Name, true));
            }
            catch (BackendUnavailableException e)
            {
                LogNotDeleted(sandbox.Name, e.Message);
                outcomes.Add((sandbox.Name, false));
            }
        });

        string[] deleted = [.. outcomes.Where(outcome => outcome.Deleted).Select(outcome => outcome.Name).Order(StringComparer.Ordinal)];
        string[] failed = [.. outcomes.Where(outcome => !outcome.Deleted).Select(outcome => outcome.Name).Order(StringComparer.Ordinal)];
        return new DeleteAllResult { DeletedCount = deleted.Length, FailedCount = failed.Length, DeletedPods = deleted, FailedPods = failed };
    }

    /// <summary>Deletes exactly this sandbox, whatever state it is in. <see langword="false"/>: it is gone or being deleted already.</summary>
    /// <exception cref="BackendUnavailableException">The backend cannot be reached.</exception>
    internal async Task<bool> RemoveAsync(Sandbox sandbox, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!registry.TryBeginDelete(sandbox)) return false;
        try
        {
            // Not the caller's token: a delete cut in the middle may or may not have happened.
            if (await backend.DeleteAsync(sandbox, DeleteCondition.SameUid, CancellationToken.None))
            {
                LogDeleted(sandbox.Name);
                return true;
            }
        }
        catch (SandboxConflictException)
        {
            // Another of the same name has taken its place.
        }
        catch
        {
            registry.CancelDelete(sandbox);
            throw;
        }

        registry.Forget(sandbox);
        return false;
    }

    /// <summary>
    /// Deletes a sandbox that has not changed since it was judged. Until that is accepted it is in view as before: a claim
    /// or a use that comes first must not find it deleted.
    /// </summary>
    /// <param name="judged">As it was when it was judged.</param>
    /// <param name="why">For the log, a clause such as <c>it has ended</c>.</param>
    /// <param name="cancellationToken">Gives up before the backend is asked.</param>
    /// <returns><see langword="false"/>: it has changed, and is to be judged anew. Else it is deleted, or gone already.</returns>
    /// <exception cref="BackendUnavailableException">The backend cannot be reached.</exception>
    internal async Task<bool> RemoveUnchangedAsync(Sandbox judged, string why, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            if (await backend.DeleteAsync(judged, DeleteCondition.SameVersion, CancellationToken.None))
            {
                registry.TryBeginDelete(judged);
                LogSwept(judged.Name, why);
            }
            else
            {
                registry.Forget(judged);
            }

            return true;
        }
        catch (SandboxConflictException)
        {
            return false;
        }
    }

    /// <summary>
    /// The same as <see cref="RemoveAsync(Sandbox, CancellationToken)"/>, however long the backend is away: what nobody was told of, or was told has failed, must not live on.
    /// Only the host's end ends the attempts.
    /// </summary>
    internal async Task RemoveInTheEndAsync(Sandbox sandbox, CancellationToken stopping)
    {
        var pause = FirstDeletePause;
        while (true)
        {
            try
            {
                await RemoveAsync(sandbox, stopping);
                return;
            }
            catch (BackendUnavailableException e)
            {
                LogNotDeleted(sandbox.Name, e.Message);
            }

            await Task.Delay(pause, clock, stopping);
            pause = pause * 2 < LongestDeletePause ? pause * 2 : LongestDeletePause;
        }
    }

    /// <summary>The same, by the host and not by the request: nobody waits for it.</summary>
    internal void Discard(Sandbox sandbox) =>
        tasks.Run($"Deleting unannounced sandbox {sandbox.Name}", stopping => RemoveInTheEndAsync(sandbox, stopping));

    [LoggerMessage(Level = LogLevel.Information, Message = "Sandbox {Name} is deleted")]
    private partial void LogDeleted(string name);

    [LoggerMessage(Level = LogLevel.Information, Message = "Sandbox {Name} is deleted: {Why}")]
    private partial void LogSwept(string name, string why);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sandbox {Name} could not be deleted: {Reason}")]
    private partial void LogNotDeleted(string name, string reason);
}
