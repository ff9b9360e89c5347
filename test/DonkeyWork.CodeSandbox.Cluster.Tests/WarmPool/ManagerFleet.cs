using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.WarmPool;

/// <summary>Some Managers on one namespace, of which any may be killed and another takes its place.</summary>
internal sealed class ManagerFleet : IAsyncDisposable
{
    private readonly Func<Task<KubernetesManager>> _start;
    private readonly KubernetesManager[] _managers;

    private ManagerFleet(Func<Task<KubernetesManager>> start, KubernetesManager[] managers) => (_start, _managers) = (start, managers);

    public int Count => _managers.Length;

    /// <summary>How many were killed.</summary>
    public int Killed { get; private set; }

    /// <summary>What all that are alive have printed.</summary>
    public string Log => string.Join("\n----\n", _managers.Select(manager => manager.Log));

    public KubernetesManager this[int index] => Volatile.Read(ref _managers[index % _managers.Length]);

    public static async Task<ManagerFleet> StartAsync(int count, SandboxNamespace place, ApiRelay? relay = null, params string[] settings)
    {
        string[] all = ["--KataContainerManager:ExecutorAccess=PodIp", .. settings];
        Task<KubernetesManager> StartOneAsync() => KubernetesManager.StartAsync(place, relay, settings: all);
        return new ManagerFleet(StartOneAsync, await Task.WhenAll(Enumerable.Range(0, count).Select(_ => StartOneAsync())));
    }

    /// <summary>SIGKILL; returns when another one, at another address, is healthy in its place.</summary>
    public async Task KillAndReplaceAsync(int index)
    {
        await _managers[index].KillAsync();
        Killed++;
        var next = await _start();
        await Interlocked.Exchange(ref _managers[index], next).DisposeAsync();
    }

    /// <summary>The pool is full and ready, and there is no other pod: what nobody was answered is gone.</summary>
    public async Task UntilOnlyThePoolIsThereAsync(SandboxNamespace place, int size)
    {
        IReadOnlyList<JsonElement> pods = [];
        await Patience.UntilAsync(
            async () => PodCounts.Of(pods = await place.ListPodsAsync()) is { Others: 0 } counts && counts.Warm == size,
            () => $"The pool is not back at {size}: {PodCounts.Of(pods)}:\n{string.Join('\n', pods.Select(PodCounts.WordsOf))}\n{Log}");
    }

    public async ValueTask DisposeAsync() => await Task.WhenAll(_managers.Select(manager => manager.DisposeAsync().AsTask()));
}
