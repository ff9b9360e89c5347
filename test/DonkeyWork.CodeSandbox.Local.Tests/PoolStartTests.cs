using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>A pool that is being filled, and somebody who wants a sandbox meanwhile.</summary>
public sealed class PoolStartTests(LocalMachine machine) : IClassFixture<LocalMachine>
{
    [Fact]
    public async Task A_users_sandbox_does_not_wait_for_all_of_the_pool()
    {
        var backend = machine.Backend;
        var pool = new List<Sandbox>();
        for (var number = 0; number < 4 * Environment.ProcessorCount; number++)
            pool.Add(await backend.CreateAsync(Specs.New(PoolStatus.Warm), CancellationToken.None));

        var users = await backend.CreateReadyAsync();

        var states = await Task.WhenAll(pool.Select(sandbox => backend.ReadAsync(sandbox.Name, CancellationToken.None)));
        states.Count(state => state!.Phase == SandboxPhase.Pending).ShouldBeGreaterThanOrEqualTo(Environment.ProcessorCount);
        foreach (var sandbox in pool) (await backend.UntilAsync(sandbox.Name, state => state is { IsReady: true })).ShouldNotBeNull();
        await Task.WhenAll(pool.Append(users).Select(backend.DeleteGoneAsync));
    }
}
