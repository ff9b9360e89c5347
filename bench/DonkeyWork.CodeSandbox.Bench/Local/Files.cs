using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Bench.Local;

/// <summary>Files in and out, beside what <c>runc exec</c> can do with pipes, and beside the executor without the Manager before it.</summary>
internal static class Files
{
    private const int Runs = 5;
    private const int Mebibytes = 256;
    private const string Tree = "d=$(mktemp -d -p ~ tree.XXXX); for i in $(seq 1000); do head -c 4096 /dev/urandom >$d/$i; done; mv $d ~/tree";

    public static async Task<IReadOnlyList<Row>> RunAsync(LocalBench bench)
    {
        await using var sandbox = await bench.Client.CreateAsync();
        await sandbox.RunAsync(Tree);
        var local = Path.Combine(bench.StateDirectory, "random");
        await Measure.RunAsync("/bin/bash", "-c", $"head -c {Mebibytes}M /dev/urandom >{local}");
        var exec = $"runc {string.Join(' ', bench.ExecIn(sandbox.Name))}";
        var url = new Uri(bench.Http.BaseAddress!, $"/api/kata/{sandbox.Name}/files?path=");
        var (socket, token) = bench.ExecutorOf(sandbox.Name);
        var executor = $"curl -sSf --unix-socket {socket} -H '{ExecutorProtocol.TokenHeader}: {token}' 'http://sandbox/api/files?path=f'";
        // With a pipe on either side: given the file itself, or /dev/null, runc passes on the descriptor, and nothing is transported.
        return
        [
            .. await MeasureAsync(
                $"{Mebibytes} MiB in, as a file",
                $"curl -sSf -T {local} '{url}f'",
                ("a pipe into `runc exec`, `cat >f`", $"cat {local} | {exec} /bin/sh -c 'cat >f'"),
                ("the same straight to the executor", $"{executor} -T {local}")),
            .. await MeasureAsync(
                $"{Mebibytes} MiB out, as a file",
                $"curl -sSf '{url}f' >/dev/null",
                ("a pipe out of `runc exec`, `cat f`", $"{exec} cat f | cat >/dev/null"),
                ("the same straight from the executor", $"{executor} >/dev/null")),
            .. await MeasureAsync(
                "1,000 small files out, as tar",
                $"curl -sSf -H 'Accept: application/x-tar' '{url}tree' >{local}.tar",
                ("`runc exec`, `tar`", $"{exec} tar -c tree | cat >/dev/null")),
            .. await MeasureAsync(
                "1,000 small files in, as tar",
                $"curl -sSf -H 'Content-Type: application/x-tar' -T {local}.tar '{url}in'",
                ("`runc exec`, `tar`", $"cat {local}.tar | {exec} /bin/sh -c 'mkdir -p beside && tar -x -C beside'")),
        ];
    }

    /// <summary>Each by a program of its own, so that its start is in all of them.</summary>
    private static async Task<IReadOnlyList<Row>> MeasureAsync(string what, string command, params (string Name, string Command)[] others)
    {
        var ours = new Samples();
        var beside = others.Select(other => (other.Name, other.Command, Samples: new Samples())).ToList();
        for (var i = 0; i < Runs; i++)
        {
            ours.Add(await TimeAsync(command));
            foreach (var other in beside)
                other.Samples.Add(await TimeAsync(other.Command));
        }

        return [.. beside.Select(other => Row.OfTimes(what, ours, other.Name, other.Samples, "–"))];
    }

    private static async Task<TimeSpan> TimeAsync(string command) => (await Measure.RunAsync("/bin/bash", "-c", $"set -o pipefail; {command}")).Time;
}
