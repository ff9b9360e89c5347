namespace DonkeyWork.CodeSandbox.Server;

/// <summary>The host neither starts nor ends by signals: those are <see cref="Posix.SelfProtection"/>'s.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
