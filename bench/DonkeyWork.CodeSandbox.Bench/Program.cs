using System.Diagnostics;
using DonkeyWork.CodeSandbox.Bench;
using DonkeyWork.CodeSandbox.Bench.Cluster;
using DonkeyWork.CodeSandbox.Bench.Local;
using DonkeyWork.CodeSandbox.Testing.Processes;

// Each benchmark measures ours and what a user would pick instead, turn about, in one run; ratios are what counts.
var benchmarks = new (string Name, Func<Task<IReadOnlyList<Row>>> Run)[]
{
    ("create", OnThisMachine(ColdCreate.RunAsync)),
    ("start", OnThisMachine(ExecutorStart.RunAsync)),
    ("exec", OnThisMachine(ExecRoundTrip.RunAsync)),
    ("stream", OnThisMachine(Streaming.RunAsync)),
    ("executions", OnThisMachine(Executions.RunAsync)),
    ("files", OnThisMachine(Files.RunAsync)),
    ("terminal", OnThisMachine(Keystrokes.RunAsync)),
    ("allocate", OnThisMachine(Allocation.RunAsync, Allocation.PoolSize)),
    ("pods", Pods.RunAsync),
    ("ready", Readiness.RunAsync),
    ("scale", Scale.RunAsync),
    ("claims", Claims.RunAsync),
};

var unknown = args.Except(benchmarks.Select(benchmark => benchmark.Name)).ToList();
if (args.Length == 0 || unknown.Count > 0)
{
    Console.Error.WriteLine($"No benchmark is called '{string.Join(' ', unknown)}'; see ./bench.sh --help.");
    return 2;
}

var rows = new List<Row>();
foreach (var (name, run) in benchmarks.Where(benchmark => args.Contains(benchmark.Name)))
{
    Console.Error.WriteLine($"{name} ...");
    rows.AddRange(await run());
}

using var version = Process.Start(new ProcessStartInfo(Repository.Executor, ["--version"]) { RedirectStandardOutput = true })!;
Console.WriteLine($"Machine: {Environment.ProcessorCount} cores, Linux {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}. Executor: {(await version.StandardOutput.ReadToEndAsync()).Trim()}.");
Console.WriteLine();
Console.WriteLine("| What | Ours | Beside it | Ratio | Target |");
Console.WriteLine("|---|---|---|---|---|");
foreach (var row in rows)
{
    Console.WriteLine($"| {row.What} | {row.Ours} | {row.Other} | {row.Ratio} | {row.Target} |");
}

return 0;

static Func<Task<IReadOnlyList<Row>>> OnThisMachine(Func<LocalBench, Task<IReadOnlyList<Row>>> run, int poolSize = 0) => async () =>
{
    await using var bench = await LocalBench.StartAsync(poolSize);
    return await run(bench);
};
