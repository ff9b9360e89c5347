using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>
/// The service as callers have it, on whichever backend: two addresses that stay, published Managers behind them that can be
/// killed while others take over, and real sandboxes.
/// </summary>
public abstract class TestService : IAsyncDisposable
{
    private readonly List<HttpClient> _clients = [];

    protected TestService()
    {
        foreach (var way in Ways) _clients.Add(new HttpClient(NewHandler()) { BaseAddress = way.Address, Timeout = Patience.Limit });
    }

    /// <summary>The addresses.</summary>
    public IReadOnlyList<CuttingRelay> Ways { get; } = [new CuttingRelay(), new CuttingRelay()];

    /// <summary>The first of them behind which a Manager serves.</summary>
    public CuttingRelay Way => Ways.First(way => way.Target is not null);

    /// <summary>Plain HTTP to it.</summary>
    public HttpClient Http => _clients[Ways.ToList().IndexOf(Way)];

    /// <summary>What all Managers that are alive have printed.</summary>
    public abstract string Log { get; }

    /// <summary>Ends the Manager behind a way by SIGKILL. Another serves, behind either way, when this returns.</summary>
    public abstract Task KillAsync(CuttingRelay way);

    /// <summary>The same by SIGTERM: it says goodbye, and leaves the sandboxes alone.</summary>
    public abstract Task StopAsync(CuttingRelay way);

    /// <summary>What the cgroups of a sandbox are called by on this machine, which is where it runs.</summary>
    public abstract Task<string> MarkOfAsync(string sandbox);

    /// <summary>A sandbox that is ready, and deleted when disposed.</summary>
    /// <param name="limits">Its <c>resources.limits</c>; <see langword="null"/>: the defaults.</param>
    public Task<TestSandbox> CreateAsync(object? limits = null) => TestSandbox.CreateAsync(this, limits);

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) client.Dispose();
        foreach (var way in Ways) await way.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    // What a test leaves unread is cut and not read to its end.
    private static SocketsHttpHandler NewHandler() => new() { UseProxy = false, ResponseDrainTimeout = TimeSpan.Zero, PooledConnectionIdleTimeout = TimeSpan.FromSeconds(1) };
}
