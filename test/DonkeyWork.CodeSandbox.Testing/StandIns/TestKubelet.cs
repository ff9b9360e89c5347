using System.Collections.Concurrent;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Testing.StandIns;

/// <summary>
/// Plays scheduler and kubelet for one namespace of a cluster that has neither: pods are bound, become Ready at the address
/// of an executor, and go when they are deleted. What it does is what a kubelet writes; the API server is real.
/// </summary>
public sealed class TestKubelet : IAsyncDisposable
{
    private const string NodeName = "test-kubelet";

    private readonly SandboxNamespace _place;
    private readonly string _podIP;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, Task> _work = new();
    private readonly Task _watching;

    public TestKubelet(SandboxNamespace place, string podIP)
    {
        (_place, _podIP) = (place, podIP);
        _watching = WatchAsync();
    }

    /// <summary>Whether new pods are run. Pods that come while it is <see langword="false"/> stay Pending for ever.</summary>
    public bool RunsPods { get; set; } = true;

    /// <summary>Whether deletes are finished: a pod whose node is away stays in deletion.</summary>
    public bool EndsPods { get; set; } = true;

    /// <summary>Marks a pod Ready or not, as a kubelet does, or the node controller for a node that is away.</summary>
    public Task SetReadyAsync(string pod, bool ready) => PatchStatusAsync(pod, new { conditions = new[] { Condition("Ready", ready), Condition("ContainersReady", ready) } });

    /// <summary>Removes a pod at once, as the pod collector does with those of a node that is gone.</summary>
    public Task<bool> CollectAsync(string pod) => _place.Api.DeleteAsync($"{_place.Pods}/{pod}", graceSeconds: 0);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_work.Values);
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        while (true)
        {
            try
            {
                await foreach (var (type, pod) in _place.Api.WatchAsync(_place.Pods, _stop.Token)) Observe(type, pod);
            }
            catch (Exception away) when (away is HttpRequestException or IOException or ApiRefusedException)
            {
                // The API server is away, as tests have it: look again.
                await Patience.UntilAsync(async () => _stop.IsCancellationRequested || await _place.Api.IsReadyAsync(), () => "The API server does not come back.");
            }
        }
    }

    private void Observe(string type, JsonElement pod)
    {
        if (type is not ("ADDED" or "MODIFIED")) return;
        var metadata = pod.GetProperty("metadata");
        var name = metadata.GetProperty("name").GetString()!;
        var uid = metadata.GetProperty("uid").GetString()!;
        if (metadata.TryGetProperty("deletionTimestamp", out _))
        {
            if (EndsPods) _work.TryAdd($"end {uid}", Task.Run(() => UnlessGoneAsync(() => CollectAsync(name))));
        }
        else if (RunsPods && !pod.GetProperty("spec").TryGetProperty("nodeName", out _))
        {
            _work.TryAdd($"run {uid}", Task.Run(() => UnlessGoneAsync(() => RunAsync(name))));
        }
    }

    private async Task RunAsync(string name)
    {
        await _place.Api.CreateAsync($"{_place.Pods}/{name}/binding", new { apiVersion = "v1", kind = "Binding", metadata = new { name }, target = new { apiVersion = "v1", kind = "Node", name = NodeName } });
        await PatchStatusAsync(name, new
        {
            phase = "Running",
            podIP = _podIP,
            podIPs = new[] { new { ip = _podIP } },
            conditions = new[] { Condition("Initialized", true), Condition("ContainersReady", true), Condition("Ready", true) },
        });
    }

    private Task<JsonElement> PatchStatusAsync(string pod, object status) => _place.Api.PatchAsync($"{_place.Pods}/{pod}/status", new { status });

    private static object Condition(string type, bool isTrue) => new { type, status = isTrue ? "True" : "False" };

    private static async Task UnlessGoneAsync(Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (ApiRefusedException gone) when (gone.Status is 404 or 409)
        {
            // Deleted meanwhile, or bound before.
        }
        catch (HttpRequestException)
        {
            // The API server is away; the next list shows the pod again, and a pod in deletion stays listed.
        }
    }
}
