using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Sandboxes;

public sealed partial class SandboxService
{
    /// <summary>All living sandboxes, oldest first. Costs no call.</summary>
    /// <exception cref="BackendUnavailableException">The backend has not been listed yet.</exception>
    public async Task<IReadOnlyList<Sandbox>> ListAsync(CancellationToken cancellationToken)
    {
        await registry.WaitUntilListedAsync(cancellationToken);
        return [.. registry.All.Where(sandbox => sandbox.IsAlive).OrderBy(sandbox => sandbox.CreatedAt).ThenBy(sandbox => sandbox.Name, StringComparer.Ordinal)];
    }

    /// <summary>A living sandbox, ready or not.</summary>
    /// <exception cref="SandboxException"><see cref="ErrorCodes.SandboxNotFound"/>.</exception>
    /// <exception cref="BackendUnavailableException">It had to be read live, and the backend cannot be reached.</exception>
    public Task<Sandbox> FindAsync(string name, CancellationToken cancellationToken) =>
        FindAsync(name, sandbox => sandbox.IsAlive, cancellationToken);

    /// <summary>A sandbox that takes commands.</summary>
    /// <exception cref="SandboxException"><see cref="ErrorCodes.SandboxNotFound"/>, <see cref="ErrorCodes.SandboxNotReady"/>, <see cref="ErrorCodes.ExecutorUnreachable"/>.</exception>
    /// <exception cref="BackendUnavailableException">It had to be read live, and the backend cannot be reached.</exception>
    public async Task<Sandbox> FindReadyAsync(string name, CancellationToken cancellationToken)
    {
        var sandbox = await FindAsync(name, sandbox => sandbox.AcceptsCommands, cancellationToken);
        if (sandbox.AcceptsCommands) return sandbox;
        // "Still being created" would make callers wait for what may never come.
        throw sandbox.IsCutOff ? SandboxException.ExecutorUnreachable(name, why: sandbox.Message) : SandboxException.NotReady(name);
    }

    private async Task<Sandbox> FindAsync(string name, Func<Sandbox, bool> isFit, CancellationToken cancellationToken)
    {
        if (!_names.IsValid(name)) throw SandboxException.NotFound(name);
        var sandbox = registry.Find(name);
        // A view that is behind must not fail a request; one that has accepted a delete is not behind.
        if (sandbox is null || (!sandbox.IsDeleting && !isFit(sandbox))) sandbox = await registry.ReadAsync(name, cancellationToken);
        return sandbox is { IsAlive: true } ? sandbox : throw SandboxException.NotFound(name, sandbox is { HasEnded: true } ? sandbox.Message : null);
    }
}
