using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests;

/// <summary>One container of each kind for all tests of a class that leave it as it was.</summary>
public sealed class BothKinds : IAsyncLifetime
{
    private readonly Dictionary<KillMode, ExecutorContainer> _containers = [];

    public async Task InitializeAsync()
    {
        foreach (var mode in Enum.GetValues<KillMode>())
            _containers[mode] = await ExecutorContainer.StartAsync(mode);
    }

    public async Task DisposeAsync()
    {
        foreach (var container in _containers.Values)
            await container.DisposeAsync();
    }

    internal ExecutorContainer this[KillMode mode] => _containers[mode];
}
