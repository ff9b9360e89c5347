using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Creation;

namespace DonkeyWork.CodeSandbox.Sandboxes;

public sealed partial class SandboxService
{
    /// <summary>
    /// Keeps a sandbox for some time although nothing uses it, at least until it would have gone anyway and never past its
    /// maximum lifetime. Returns it as it is then.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="seconds">0-86,400; 0: it counts as used just now.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidSandboxException"><paramref name="seconds"/> is out of range.</exception>
    /// <exception cref="SandboxException"><see cref="ErrorCodes.SandboxNotFound"/>, <see cref="ErrorCodes.NotClaimed"/>.</exception>
    /// <exception cref="BackendUnavailableException">The backend cannot be reached.</exception>
    public async Task<Sandbox> KeepAliveAsync(string name, int seconds, CancellationToken cancellationToken)
    {
        var errors = new FieldErrors();
        if (seconds is < 0 or > KeepAliveRequest.MaxSeconds) errors.Add("seconds", $"Must be 0-{KeepAliveRequest.MaxSeconds}.");
        errors.ThrowIfAny();

        var sandbox = await FindAsync(name, sandbox => sandbox.IsAlive && sandbox.PoolStatus != PoolStatus.Warm, cancellationToken);
        if (sandbox.PoolStatus == PoolStatus.Warm) throw SandboxException.NotClaimed(name);
        try
        {
            var time = TimeSpan.FromSeconds(seconds);
            return await _activity.AdvanceAsync(sandbox, seen => _rules.LastActivityToKeep(seen, clock.GetUtcNow(), time), cancellationToken);
        }
        catch (SandboxConflictException e)
        {
            throw new BackendUnavailableException($"Sandbox {name} changes too often to be kept.", e);
        }
    }
}
