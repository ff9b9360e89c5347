using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Leadership;
using DonkeyWork.CodeSandbox.Sandboxes.Leadership;
using DonkeyWork.CodeSandbox.Testing;
using DonkeyWork.CodeSandbox.Testing.Clusters;
using DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Leadership;

/// <summary>One who wants to lead, with a client of its own, through a relay of its own.</summary>
internal sealed class Elector : IAsyncDisposable, IHostApplicationLifetime
{
    /// <summary>The shortest that can be configured.</summary>
    public static readonly LeaseTiming Shortest = new(5);

    private readonly ClusterConnection _connection;
    private readonly KubernetesClient _client;
    private readonly LeaseLeadership _leadership;
    private readonly CancellationTokenSource _stopping = new();

    private Elector(ControlNamespace control, ApiRelay relay, LeaseTiming timing)
    {
        Relay = relay;
        var options = new ConnectionOptions { ServerUrl = relay.Address.AbsoluteUri, Token = control.Cluster.AdminToken };
        _connection = ClusterConnection.Load(options, TimeProvider.System);
        _client = control.ClientOf(_connection);
        var errors = new ApiErrors(_connection, new KubernetesOptions { TargetNamespace = control.Namespace.Name });
        _leadership = new LeaseLeadership(_client, timing, errors, TimeProvider.System, NullLogger<LeaseLeadership>.Instance, this);
    }

    /// <summary>What it sends goes through here.</summary>
    public ApiRelay Relay { get; }

    public ILeadership Leadership => _leadership;

    public CancellationToken ApplicationStarted => default;

    public CancellationToken ApplicationStopping => _stopping.Token;

    public CancellationToken ApplicationStopped => default;

    public static async Task<Elector> StartAsync(ControlNamespace control, LeaseTiming? timing = null, Action<ApiRelay>? prepare = null)
    {
        var relay = await ApiRelay.StartAsync(control.Server);
        prepare?.Invoke(relay);
        var elector = new Elector(control, relay, timing ?? Shortest);
        await elector._leadership.StartAsync(CancellationToken.None);
        return elector;
    }

    public async Task<LeadershipTerm> LeadsAsync()
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        return await _leadership.WaitAsync(limit.Token);
    }

    /// <summary>The host begins to stop; nobody waits for it.</summary>
    public void StopApplication() => _stopping.Cancel();

    /// <summary>All it sends from now on is refused, and its watches are cut.</summary>
    public void CutOff() => Relay.Intercept = context =>
    {
        context.Abort();
        return Task.FromResult(true);
    };

    public async ValueTask DisposeAsync()
    {
        await _leadership.StopAsync(CancellationToken.None).WaitAsync(Patience.Limit);
        _leadership.Dispose();
        _client.Dispose();
        _connection.Dispose();
        await Relay.DisposeAsync();
        _stopping.Dispose();
    }
}
