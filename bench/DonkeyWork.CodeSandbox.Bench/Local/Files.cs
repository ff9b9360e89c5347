namespace DonkeyWork.CodeSandbox.Bench.Local;

/// <summary>Files in and out, beside what <c>runc exec</c> can do with pipes.</summary>
internal static class Files
{
    private const int Runs = 3;
    private const int Mebibytes = 256;
    private const string Tree = "d=$(mktemp -d -p ~ tree.XXXX); for i in $(seq 1000); do head -c 4096 /dev/urandom >$d/$i; done; mv $d ~/tree";

    public static async Task<IReadOnlyList<Row>> RunAsync(LocalBench bench)
    {
        await using var sandbox = await bench.Client.CreateAsync();
        await sandbox.RunAsync(Tree);
        var local = Path.Combine(bench.StateDirectory, "random");
        await Measure.RunAsync("/bin/bash", "-c", $"head -c {Mebibytes}M /dev/urandom >{local}");
        var exec = $"runc {string.Join(' ', bench.ExecIn(sandbox.Name)[..^1])}";
        var url = new Uri(bench.Http.BaseAddress!, $"/api/kata/{sandbox.Name}/files?path=");
        return
        [
            await MeasureAsync($"{Mebibytes} MiB in, as a file", $"curl -sSf -T {local} '{url}f'", "`runc exec`, `cat >f`", $"{exec} {sandbox.Name} /bin/sh -c 'cat >f' <{local}"),
            await MeasureAsync($"{Mebibytes} MiB out, as a file", $"curl -sSf '{url}f' >/dev/null", "`runc exec`, `cat f`", $"{exec} {sandbox.Name} cat f >/dev/null"),
            await MeasureAsync("1,000 small files out, as tar", $"curl -sSf -H 'Accept: application/x-tar' '{url}tree' >{local}.tar", "`runc exec`, `tar`", $"{exec} {sandbox.Name} tar -c tree >/dev/null"),
            await MeasureAsync("1,000 small files in, as tar", $"curl -sSf -H 'Content-Type: application/x-tar' -T {local}.tar '{url}in'", "`runc exec`, `tar`", $"{exec} {sandbox.Name} /bin/sh -c 'mkdir -p beside && tar -x -C beside' <{local}.tar"),
        ];
    }

    /// <summary>Both by a program of their own, so that its start is in both.</summary>
    private static async Task<Row> MeasureAsync(string what, string command, string otherName, string otherCommand)
    {
        var (ours, other) = (new Samples(), new Samples());
        for (var i = 0; i < Runs; i++)
        {
            ours.Add((await Measure.RunAsync("/bin/bash", "-c", command)).Time);
            other.Add((await Measure.RunAsync("/bin/bash", "-c", otherCommand)).Time);
        }

        return Row.OfTimes(what, ours, otherName, other, "–");
    }
}
