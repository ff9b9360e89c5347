using DonkeyWork.CodeSandbox.Testing.Clusters;
using DonkeyWork.CodeSandbox.Testing.Processes;
using DonkeyWork.CodeSandbox.Testing.StandIns;

namespace DonkeyWork.CodeSandbox.Bench.Cluster;

/// <summary>
/// One Manager over 5,000 sandboxes, beside the same over none: memory, time on a CPU, and what its answers cost. The pods
/// are on an API server alone; they are allocated, Running and Ready, and one executor answers for all of them.
/// </summary>
internal static class Scale
{
    private const int Sandboxes = 5000;
    private const int ChangesPerSecond = 100;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(20);

    public static async Task<IReadOnlyList<Row>> RunAsync()
    {
        await using var nothing = await SandboxNamespace.CreateAsync(ControlCluster.Current);
        await using var place = await SandboxNamespace.CreateAsync(ControlCluster.Current);
        await using var executor = await StubExecutor.StartAsync(ReadyPods.Address);
        var pods = new ReadyPods(place);
        await pods.CreateAsync(Sandboxes);

        await using var none = await StartAsync(nothing);
        await using var many = await StartAsync(place);
        var listed = (await many.Client.ListAsync()).Count(sandbox => sandbox.IsReady);
        if (listed != Sandboxes) throw new InvalidOperationException($"The Manager lists {listed} ready sandboxes of {Sandboxes}.");

        var idle = await CpuAsync(many, Task.Delay(Window, TimeProvider.System));
        var idleOverNone = await CpuAsync(none, Task.Delay(Window, TimeProvider.System));
        var changing = await CpuAsync(many, pods.ChangeAsync(ChangesPerSecond, Window));
        var memory = Measure.ResidentMegabytes(many.Pid);
        var get = await TimesAsync(200, _ => many.Client.GetAsync(ReadyPods.NameOf(7)));
        var live = await TimesAsync(200, async _ => await none.Http.GetStringAsync("/livez"));
        var list = await TimesAsync(20, _ => many.Client.ListAsync());
        var execute = await TimesAsync(500, async number =>
        {
            using var response = await many.ExecuteAsync(ReadyPods.NameOf(number), "true");
            response.EnsureSuccessStatusCode();
            await response.Content.ReadAsStringAsync();
        });
        return
        [
            new Row($"memory over {Sandboxes} sandboxes", Megabytes(memory), $"over none: {Megabytes(Measure.ResidentMegabytes(none.Pid))}", Row.Number(memory / Measure.ResidentMegabytes(none.Pid), "0.00"), "–"),
            new Row("the same after a command in 500 of them, and 20 lists of all", Megabytes(Measure.ResidentMegabytes(many.Pid)), "–", "–", "–"),
            new Row("CPU of one core, idle", Percent(idle), $"over none: {Percent(idleOverNone)}", "–", "–"),
            new Row($"CPU of one core at {ChangesPerSecond} changes of pods a second", Percent(changing), "–", "–", "–"),
            Row.OfTimes("`GET` of one of them", get, "`GET /livez`", live, "–"),
            new Row($"`GET` of all {Sandboxes}", list.ToString(), "–", "–", "–"),
            new Row("first command in another one each time, the executor a stub", execute.ToString(), "–", "–", "–"),
        ];
    }

    private static Task<KubernetesManager> StartAsync(SandboxNamespace place) => KubernetesManager.StartAsync(
        place,
        settings: ["--KataContainerManager:ExecutorAccess=PodIp", "--KataContainerManager:MaxTotalContainers=10000", "--KataContainerManager:MaxContainerLifetimeMinutes=1440", "--KataContainerManager:IdleTimeoutMinutes=1440", "--KataContainerManager:WarmPoolSize=0"]);

    private static async Task<double> CpuAsync(KubernetesManager manager, Task meanwhile)
    {
        var before = Measure.CpuTime(manager.Pid);
        var taken = await Measure.TimeAsync(() => meanwhile);
        return (Measure.CpuTime(manager.Pid) - before) / taken;
    }

    private static async Task<Samples> TimesAsync(int runs, Func<int, Task> work)
    {
        var samples = new Samples();
        for (var i = 0; i < runs; i++) samples.Add(await Measure.TimeAsync(() => work(i)));
        return samples;
    }

    private static string Megabytes(double megabytes) => $"{Row.Number(megabytes)} MB";

    private static string Percent(double share) => $"{Row.Number(share * 100)} %";
}
