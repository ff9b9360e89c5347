using System.Collections.Concurrent;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests.Expiry;

/// <summary>Another backend, whose accepted deletes are counted, and which can be made to disregard the version a delete is bound to.</summary>
internal sealed class DeleteWitness(ISandboxBackend backend) : ISandboxBackend
{
    private readonly ConcurrentQueue<string> _deleted = new();

    /// <summary>Breaks the guard: every delete is for the sandbox, whatever it has become since.</summary>
    public bool IgnoresVersions { get; init; }

    /// <summary>Runs inside every delete, before it is compared.</summary>
    public Func<Sandbox, Task> BeforeDelete { get; set; } = _ => Task.CompletedTask;

    /// <summary>The names whose delete was accepted, once for each time.</summary>
    public IReadOnlyCollection<string> Deleted => _deleted;

    public async Task<bool> DeleteAsync(Sandbox seen, DeleteCondition condition, CancellationToken cancellationToken)
    {
        await BeforeDelete(seen);
        var isDeleted = await backend.DeleteAsync(seen, IgnoresVersions ? DeleteCondition.SameUid : condition, cancellationToken);
        if (isDeleted) _deleted.Enqueue(seen.Name);
        return isDeleted;
    }

    public Task<Sandbox> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken) => backend.CreateAsync(spec, cancellationToken);

    public Task<Sandbox?> ReadAsync(string name, CancellationToken cancellationToken) => backend.ReadAsync(name, cancellationToken);

    public Task<IReadOnlyList<Sandbox>> ListOwnedAsync(string owner, CancellationToken cancellationToken) => backend.ListOwnedAsync(owner, cancellationToken);

    public Task<Sandbox> ChangeAsync(Sandbox seen, SandboxChange change, ChangeCondition condition, CancellationToken cancellationToken) =>
        backend.ChangeAsync(seen, change, condition, cancellationToken);

    public IAsyncEnumerable<SandboxObservation> WatchAsync(CancellationToken cancellationToken) => backend.WatchAsync(cancellationToken);

    public ExecutorEndpoint Connect(Sandbox sandbox) => backend.Connect(sandbox);
}
