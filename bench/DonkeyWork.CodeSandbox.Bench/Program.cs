using DonkeyWork.CodeSandbox.Bench;

// Each benchmark measures ours and what a user would pick instead, turn about, in one run; ratios are what counts.
var benchmarks = new (string Name, Func<Bench, Task<IReadOnlyList<Row>>> Run)[]
{
    ("create", ColdCreate.RunAsync),
    ("start", ExecutorStart.RunAsync),
    ("exec", ExecRoundTrip.RunAsync),
    ("stream", Streaming.RunAsync),
};

var chosen = benchmarks.Where(b => args.Length == 0 || args.Contains(b.Name)).ToList();
if (chosen.Count == 0)
{
    Console.Error.WriteLine($"No benchmark is called {string.Join(' ', args)}; see --help.");
    return 2;
}

await using var bench = await Bench.StartAsync();
var rows = new List<Row>();
foreach (var (name, run) in chosen)
{
    Console.Error.WriteLine($"{name} ...");
    rows.AddRange(await run(bench));
}

Console.WriteLine($"Machine: {Environment.ProcessorCount} cores, {Bench.Kernel()}. Executor: {await Bench.FlavourAsync()}.");
Console.WriteLine();
Console.WriteLine("| What | Ours | Beside it | Ratio | Target |");
Console.WriteLine("|---|---|---|---|---|");
foreach (var row in rows)
{
    Console.WriteLine($"| {row.What} | {row.Ours} | {row.Other} | {row.Ratio} | {row.Target} |");
}

return 0;
