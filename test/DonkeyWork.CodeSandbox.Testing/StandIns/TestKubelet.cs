using System.Diagnostics;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Testing.StandIns;

/// <summary>
/// Plays scheduler and kubelet for one namespace of a cluster that has neither: pods are bound, become Ready at the address
/// of an executor, and go when they are deleted. What it does is what a kubelet writes; the API server is real, and so may be
/// what runs behind the pods.
/// </summary>
public sealed class TestKubelet : IAsyncDisposable
{
    private const string NodeName = "test-kubelet";

    /// <summary>Between two tries of what the API server did not take.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly SandboxNamespace _place;
    private readonly IPodProcesses _processes;
    private readonly CancellationTokenSource _stop = new();
    // The watch's own.
    private readonly Dictionary<string, Task> _work = new(StringComparer.Ordinal);
    private readonly Task _watching;

    public TestKubelet(SandboxNamespace place, IPodProcesses processes)
    {
        (_place, _processes) = (place, processes);
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

    /// <summary>Fails with what it could not do: a test that has waited for that in vain has no other word of it.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll([_watching, .. _work.Values]);
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await EndUnlistedAsync();
                await foreach (var (type, pod) in _place.Api.WatchAsync(_place.Pods, _stop.Token)) Observe(type, pod);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // Disposed.
            }
            catch (Exception away) when (away is HttpRequestException or IOException or ApiRefusedException)
            {
                // The API server is away, as tests have it: look again.
                await Patience.UntilAsync(async () => _stop.IsCancellationRequested || await _place.Api.IsReadyAsync(), () => "The API server does not come back.");
            }
        }
    }

    // What went while nothing was seen of it.
    private async Task EndUnlistedAsync()
    {
        var running = _processes.Running;
        var listed = (await _place.ListPodsAsync()).Select(UidOf).ToHashSet(StringComparer.Ordinal);
        foreach (var uid in running.Where(uid => !listed.Contains(uid))) Do($"forget {uid}", () => _processes.EndAsync(uid));
    }

    private void Observe(string type, JsonElement pod)
    {
        if (type is not ("ADDED" or "MODIFIED" or "DELETED")) return;
        var name = pod.GetProperty("metadata").GetProperty("name").GetString()!;
        if (type == "DELETED")
        {
            Do($"forget {UidOf(pod)}", () => _processes.EndAsync(UidOf(pod)));
        }
        else if (pod.GetProperty("metadata").TryGetProperty("deletionTimestamp", out _))
        {
            if (EndsPods) Do($"end {UidOf(pod)}", () => EndAsync(pod, name));
        }
        else if (RunsPods && !IsRunning(pod))
        {
            Do($"run {UidOf(pod)}", () => RunAsync(pod, name));
        }
    }

    // Once, however often the pod is shown.
    private void Do(string what, Func<Task> action)
    {
        if (!_work.ContainsKey(what)) _work[what] = Task.Run(() => UntilDoneAsync(action));
    }

    // The API server may be away in the middle of it, or not have come back altogether.
    private async Task UntilDoneAsync(Func<Task> action)
    {
        var begun = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await action();
                return;
            }
            catch (ApiRefusedException gone) when (gone.Status == 404)
            {
                // Deleted meanwhile.
                return;
            }
            catch (Exception away) when (away is HttpRequestException or ApiRefusedException && begun.Elapsed < Patience.Limit && !_stop.IsCancellationRequested)
            {
                await Task.Delay(Pause, TimeProvider.System, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task RunAsync(JsonElement pod, string name)
    {
        if (!pod.GetProperty("spec").TryGetProperty("nodeName", out _)) await BindAsync(pod, name);
        var podIP = await _processes.StartAsync(pod);
        try
        {
            await PatchStatusAsync(name, new
            {
                phase = "Running",
                podIP,
                podIPs = new[] { new { ip = podIP } },
                conditions = new[] { Condition("Initialized", true), Condition("ContainersReady", true), Condition("Ready", true) },
            });
        }
        catch (ApiRefusedException gone) when (gone.Status == 404)
        {
            await _processes.EndAsync(UidOf(pod));
        }
    }

    private async Task BindAsync(JsonElement pod, string name)
    {
        try
        {
            await _place.Api.CreateAsync($"{_place.Pods}/{name}/binding", new { apiVersion = "v1", kind = "Binding", metadata = new { name, uid = UidOf(pod) }, target = new { apiVersion = "v1", kind = "Node", name = NodeName } });
        }
        catch (ApiRefusedException bound) when (bound.Status == 409)
        {
            // By a try before, whose answer was lost.
        }
    }

    private async Task EndAsync(JsonElement pod, string name)
    {
        try
        {
            await _processes.EndAsync(UidOf(pod));
        }
        finally
        {
            await CollectAsync(name);
        }
    }

    private Task<JsonElement> PatchStatusAsync(string pod, object status) => _place.Api.PatchAsync($"{_place.Pods}/{pod}/status", new { status });

    private static bool IsRunning(JsonElement pod) =>
        pod.TryGetProperty("status", out var status) && status.TryGetProperty("phase", out var phase) && phase.GetString() != "Pending";

    private static string UidOf(JsonElement pod) => pod.GetProperty("metadata").GetProperty("uid").GetString()!;

    private static object Condition(string type, bool isTrue) => new { type, status = isTrue ? "True" : "False" };
}
