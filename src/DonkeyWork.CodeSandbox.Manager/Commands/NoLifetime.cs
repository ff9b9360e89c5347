namespace DonkeyWork.CodeSandbox.Manager.Commands;

/// <summary>A host that no signal ends: a Manager that serves one command lives until that command is cleaned up after.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
