using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>A pool that is being filled, and somebody who wants a sandbox meanwhile.</summary>
public sealed class PoolStartTests(LocalMachine machine) : IClassFixture<LocalMachine>
{
    [Fact]
    public async Task A_users_sandbox_does_not_wait_for_all_of_the_pool()
    {
        var backend = machine.Backend;
        using var limit = new CancellationTokenSource(Patience.Limit);
        await using var watch = backend.WatchAsync(limit.Token).GetAsyncEnumerator(limit.Token);
        (await watch.MoveNextAsync()).ShouldBeTrue();
        var pool = new List<Sandbox>();
        for (var number = 0; number < 4 * Environment.ProcessorCount; number++)
            pool.Add(await backend.CreateAsync(Specs.New(PoolStatus.Warm), CancellationToken.None));

        var users = await backend.CreateAsync(Specs.New(), CancellationToken.None);

        // As told in order, however late this is read: those of the pool would go on meanwhile.
        var pending = pool.Select(sandbox => sandbox.Name).ToHashSet(StringComparer.Ordinal);
        Sandbox told;
        do
        {
            (await watch.MoveNextAsync()).ShouldBeTrue();
            told = watch.Current.ShouldBeOfType<SandboxChanged>().Sandbox;
            if (told.Phase != SandboxPhase.Pending) pending.Remove(told.Name);
        }
        while (told.Name != users.Name || told.Phase == SandboxPhase.Pending);

        told.IsReady.ShouldBeTrue(told.Message);
        pending.Count.ShouldBeGreaterThanOrEqualTo(Environment.ProcessorCount);
        foreach (var sandbox in pool) (await backend.UntilAsync(sandbox.Name, state => state is { IsReady: true })).ShouldNotBeNull();
        await Task.WhenAll(pool.Append(users).Select(backend.DeleteGoneAsync));
    }
}
