using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>
/// Moves a sandbox's recorded last activity forward, never back. Each write changes the version, so a delete that was
/// judged before it fails.
/// </summary>
internal sealed class ActivityWriter(SandboxRegistry registry, ISandboxBackend backend)
{
    private const int Attempts = 5;

    /// <summary>
    /// Writes what <paramref name="next"/> says of the sandbox as it is; <see langword="null"/>, or nothing later than what
    /// is recorded: it stays. Returns the sandbox as it is then.
    /// </summary>
    /// <exception cref="SandboxException">It is gone, or is being deleted.</exception>
    /// <exception cref="SandboxConflictException">Others change it all the time.</exception>
    /// <exception cref="BackendUnavailableException">The backend cannot be reached.</exception>
    public async Task<Sandbox> AdvanceAsync(Sandbox sandbox, Func<Sandbox, DateTimeOffset?> next, CancellationToken cancellationToken)
    {
        for (var attempt = 1; next(sandbox) is { } activity && !(activity <= sandbox.LastActivity); attempt++)
        {
            try
            {
                var changed = await backend.ChangeAsync(sandbox, new SandboxChange { LastActivity = activity }, ChangeCondition.SameVersion, cancellationToken);
                registry.Replace(sandbox, changed);
                return changed.IsAlive ? changed : throw SandboxException.NotFound(sandbox.Name);
            }
            catch (SandboxConflictException) when (attempt < Attempts)
            {
                // Somebody else changed it, most often by recording the same use.
                sandbox = await registry.ReadAsync(sandbox.Name, cancellationToken) is { IsAlive: true } live && live.Uid == sandbox.Uid
                    ? live
                    : throw SandboxException.NotFound(sandbox.Name);
            }
        }

        return sandbox;
    }
}
