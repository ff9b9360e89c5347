using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Connection;

/// <summary>The way to one sandbox's executor: through a Manager, or straight.</summary>
/// <param name="server">Who is asked.</param>
/// <param name="prefix">What stands before the executor's own routes there.</param>
/// <param name="sandbox">The sandbox's name, where there is a Manager to know it by.</param>
/// <param name="lives">Whether something is known to have run in it, so that not to find it is to have lost it.</param>
internal sealed class SandboxRoute(ServerConnection server, string prefix, string? sandbox, bool lives = false)
{
    public ServerConnection Server => server;

    public ConnectionOptions Options => server.Options;

    /// <summary>The same for what ran in the sandbox.</summary>
    public SandboxRoute Living => new(server, prefix, sandbox, lives: true);

    public string To(string path) => $"{prefix}/{path}";

    /// <summary>Asks for JSON, again where that is worth it: only for what may be asked any number of times.</summary>
    public Task<T> AskAsync<T>(Call call, CancellationToken cancellationToken) =>
        PersistAsync((limit, token) => server.AskAsync<T>(call, limit, token), cancellationToken);

    /// <summary>Says what has no answer but that it was done, again where that is worth it.</summary>
    public Task TellAsync(Call call, CancellationToken cancellationToken) => PersistAsync(Tell(call), cancellationToken);

    /// <summary>Says what must not be done twice: again only where nothing can have come of it.</summary>
    /// <param name="call">What is said.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="limit">How long it may take, where not <see cref="ConnectionOptions.RequestTimeout"/>.</param>
    public Task TellOnceAsync(Call call, CancellationToken cancellationToken, TimeSpan? limit = null) =>
        PersistAsync(Tell(call, limit), cancellationToken, Persistence.WasNotBegun);

    /// <summary>Says what is to be deleted, again where that is worth it.</summary>
    /// <param name="call">What is said.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="limit">How long an attempt may take, where it takes as long as there is something to delete.</param>
    /// <typeparam name="TGone">Says that it is not there any more: at another attempt just what was wanted.</typeparam>
    public async Task DeleteAsync<TGone>(Call call, CancellationToken cancellationToken, TimeSpan? limit = null)
        where TGone : CodeSandboxException
    {
        var mayBeDone = false;
        await PersistAsync(
            async (ofRequest, token) =>
            {
                try
                {
                    using var answer = await server.OpenAsync(call, limit ?? ofRequest, token).ConfigureAwait(false);
                }
                catch (TGone) when (mayBeDone)
                {
                    // By the attempt before, whose answer was lost.
                }
                catch (CodeSandboxException e) when (!Persistence.WasNotBegun(e))
                {
                    mayBeDone = true;
                    throw;
                }

                return true;
            },
            cancellationToken,
            resumes: limit is not null).ConfigureAwait(false);
    }

    /// <summary>Does what may be done any number of times until it succeeds, fails for good, or <see cref="ConnectionOptions.ReconnectTimeout"/> is over.</summary>
    /// <param name="ask">Does it, within a time.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <param name="mayRepeat">Behind which failures it may be done again, where not behind all. An attempt has all the time of a request then.</param>
    /// <param name="resumes">Whether another attempt goes on where the last one was, so that one which lasted has brought it further.</param>
    public async Task<T> PersistAsync<T>(
        Func<TimeSpan, CancellationToken, Task<T>> ask, CancellationToken cancellationToken, Predicate<CodeSandboxException>? mayRepeat = null, bool resumes = false)
    {
        var persistence = new Persistence(Options);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var begun = Options.TimeProvider.GetTimestamp();
            try
            {
                return await ask(mayRepeat is null ? persistence.AttemptTimeout : Options.RequestTimeout, cancellationToken).ConfigureAwait(false);
            }
            catch (CodeSandboxException e) when (e is SandboxNotFoundException || mayRepeat is null || mayRepeat(e))
            {
                // An attempt that lasted was served all that time.
                if (resumes && Options.TimeProvider.GetElapsedTime(begun) > Options.ReconnectTimeout)
                    persistence.Progressed();
                await PauseAsync(persistence, e, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>What an interruption is told as: where the sandbox is not there any more, that is why.</summary>
    public async Task<InterruptedException> ExplainAsync(InterruptedException interrupted, CancellationToken cancellationToken)
    {
        if (sandbox is null)
            return interrupted;
        try
        {
            await server.AskAsync<SandboxInfo>(HttpMethod.Get, Routes.Sandbox(sandbox), cancellationToken).ConfigureAwait(false);
            return interrupted;
        }
        catch (SandboxNotFoundException)
        {
            return new SandboxLostException(sandbox, interrupted);
        }
        catch (CodeSandboxException)
        {
            // Nobody can say; the interruption itself is what is known.
            return interrupted;
        }
    }

    /// <summary>Waits before another attempt, or throws what is to be thrown instead of one.</summary>
    public Task PauseAsync(Persistence persistence, CodeSandboxException failure, CancellationToken cancellationToken) =>
        failure is SandboxNotFoundException && lives
            ? throw (sandbox is null ? failure : new SandboxLostException(sandbox, failure))
            : persistence.PauseAsync(failure, cancellationToken);

    private Func<TimeSpan, CancellationToken, Task<ServerAddress>> Tell(Call call, TimeSpan? ownLimit = null) => async (limit, token) =>
    {
        using var answer = await server.OpenAsync(call, ownLimit ?? limit, token).ConfigureAwait(false);
        return answer.From;
    };
}
