namespace DonkeyWork.CodeSandbox.Sandboxes.Backends;

/// <summary>
/// Where sandboxes live: pods of a cluster, or containers of one machine. The backend's store is the only truth;
/// everything that must be right is decided by its compare-and-set.
/// </summary>
public interface ISandboxBackend
{
    /// <summary>
    /// Creates a sandbox and returns as soon as the backend has accepted it, normally <see cref="SandboxPhase.Pending"/>;
    /// what becomes of it is told by <see cref="WatchAsync"/>.
    /// </summary>
    /// <exception cref="SandboxExistsException">The name is taken.</exception>
    /// <exception cref="SandboxLimitReachedException">The backend holds a limit itself (<see cref="ISandboxLimit"/>), and it is reached.</exception>
    /// <exception cref="BackendUnavailableException">The backend cannot be reached, or lacks what it needs.</exception>
    Task<Sandbox> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken);

    /// <summary>Reads one sandbox live; <see langword="null"/> where there is none.</summary>
    /// <exception cref="BackendUnavailableException">The backend cannot be reached.</exception>
    Task<Sandbox?> ReadAsync(string name, CancellationToken cancellationToken);

    /// <summary>
    /// Reads live all sandboxes of one owner, whatever their state; exactly one call, as of a moment after it began.
    /// </summary>
    /// <param name="owner">The user id of a claim.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="BackendUnavailableException">The backend cannot be reached.</exception>
    Task<IReadOnlyList<Sandbox>> ListOwnedAsync(string owner, CancellationToken cancellationToken);

    /// <summary>
    /// Changes a sandbox if <paramref name="condition"/> holds, in one write, and returns it as it is then: that may show it
    /// as being deleted, or as not ready any more.
    /// </summary>
    /// <exception cref="SandboxConflictException"><paramref name="condition"/> does not hold, or it is gone.</exception>
    /// <exception cref="BackendUnavailableException">The backend cannot be reached.</exception>
    Task<Sandbox> ChangeAsync(Sandbox seen, SandboxChange change, ChangeCondition condition, CancellationToken cancellationToken);

    /// <summary>
    /// Deletes a sandbox and everything in it. Returns when the delete is accepted: from then on it cannot be undone,
    /// a read shows it as deleting or not at all, and the watch tells when it is gone.
    /// </summary>
    /// <returns><see langword="false"/> where there is no such sandbox any more.</returns>
    /// <exception cref="SandboxConflictException"><paramref name="condition"/> is not met.</exception>
    /// <exception cref="BackendUnavailableException">The backend cannot be reached.</exception>
    Task<bool> DeleteAsync(Sandbox seen, DeleteCondition condition, CancellationToken cancellationToken);

    /// <summary>
    /// First everything that exists (<see cref="SandboxListed"/>), then every change, for ever: what breaks in between
    /// is mended inside, and told as a new <see cref="SandboxListed"/>.
    /// </summary>
    IAsyncEnumerable<SandboxObservation> WatchAsync(CancellationToken cancellationToken);

    /// <summary>How to reach this sandbox's executor. The connections belong to the backend and last as long as the sandbox.</summary>
    ExecutorEndpoint Connect(Sandbox sandbox);
}
