using System.Text;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Bench.Cluster;

/// <summary>
/// One Manager over 5,000 sandboxes, beside the same over none: memory, time on a CPU, and what its answers cost. The pods
/// are on an API server alone; they are allocated, Running and Ready, and one executor answers for all of them.
/// </summary>
internal static class Scale
{
    private const int Sandboxes = 5000;
    private const int Parallel = 16;
    private const int ChangesPerSecond = 100;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(20);

    public static async Task<IReadOnlyList<Row>> RunAsync()
    {
        await using var empty = await ControlCluster.Current.CreateNamespaceAsync("bench-none");
        await using var full = await ControlCluster.Current.CreateNamespaceAsync("bench-scale");
        using var connection = ClusterConnection.Load(new ConnectionOptions { Kubeconfig = full.Cluster.Kubeconfig }, TimeProvider.System);
        using var api = new HttpClient(connection.CreateHandler()) { BaseAddress = connection.Server };
        using var executor = new ExecutorStub();
        var pods = new ReadyPods(api, full.Name);
        await pods.CreateAsync(Sandboxes, Parallel);

        await using var none = await ClusterManager.StartAsync(empty, "PodIp");
        await using var many = await ClusterManager.StartAsync(full, "PodIp");
        var listed = (await many.Client.ListAsync()).Count(sandbox => sandbox.IsReady);
        if (listed != Sandboxes) throw new InvalidOperationException($"The Manager lists {listed} ready sandboxes of {Sandboxes}.");

        var idle = (await CpuAsync(many, () => Task.CompletedTask), await CpuAsync(none, () => Task.CompletedTask));
        var changing = await CpuAsync(many, () => pods.ChangeAsync(ChangesPerSecond));
        var get = (await TimesAsync(() => many.Client.GetAsync(ReadyPods.NameOf(7))), await TimesAsync(async () => await none.Http.GetAsync("/livez")));
        var list = await TimesAsync(() => many.Client.ListAsync(), 20);
        var run = await TimesAsync(() => RunAsync(many));
        return
        [
            new Row($"memory over {Sandboxes} sandboxes, after all of below", $"{Row.Number(Measure.ResidentMegabytes(many.Pid))} MB", $"over none: {Row.Number(Measure.ResidentMegabytes(none.Pid))} MB", Ratio(Measure.ResidentMegabytes(many.Pid), Measure.ResidentMegabytes(none.Pid)), "–"),
            new Row("CPU of one core, idle", Percent(idle.Item1), $"over none: {Percent(idle.Item2)}", "–", "–"),
            new Row($"CPU of one core at {ChangesPerSecond} changes of pods a second", Percent(changing), "–", "–", "–"),
            Row.OfTimes("`GET` of one of them", get.Item1, "`GET /livez`", get.Item2, "–"),
            new Row($"`GET` of all {Sandboxes}", list.ToString(), "–", "–", "–"),
            new Row("`execute` on another one each time, the executor a stub", run.ToString(), "–", "–", "–"),
        ];
    }

    private static int next;

    private static async Task RunAsync(ClusterManager manager)
    {
        using var body = new StringContent("""{"command":"true"}""", Encoding.UTF8, "application/json");
        using var response = await manager.Http.PostAsync($"/api/kata/{ReadyPods.NameOf(next++)}/execute", body);
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsStringAsync();
    }

    private static async Task<double> CpuAsync(ClusterManager manager, Func<Task> meanwhile)
    {
        var before = Measure.CpuTime(manager.Pid);
        var taken = await Measure.TimeAsync(async () =>
        {
            using var window = new PeriodicTimer(Window);
            var end = window.WaitForNextTickAsync().AsTask();
            while (!end.IsCompleted)
            {
                var work = meanwhile();
                if (work.IsCompleted) break;
                await work;
            }

            await end;
        });
        return (Measure.CpuTime(manager.Pid) - before) / taken;
    }

    private static async Task<Samples> TimesAsync(Func<Task> work, int runs = 200)
    {
        var samples = new Samples();
        for (var i = 0; i < runs; i++) samples.Add(await Measure.TimeAsync(work));
        return samples;
    }

    private static string Percent(double share) => $"{Row.Number(share * 100)} %";

    private static string Ratio(double ours, double other) => Row.Number(ours / other, "0.00");
}
