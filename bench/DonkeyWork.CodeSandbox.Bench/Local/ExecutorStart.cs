using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Bench.Local;

/// <summary>The executor alone, from its start to its first answer, and the memory that it holds then.</summary>
internal static class ExecutorStart
{
    private const int Runs = 20;

    public static async Task<IReadOnlyList<Row>> RunAsync(LocalBench bench)
    {
        var socket = Path.Combine(bench.StateDirectory, "start.sock");
        var ours = new Samples();
        var python = new Samples();
        var resident = 0.0;
        for (var i = 0; i < Runs; i++)
        {
            // PID 1 of a pid namespace of its own, as it is in a sandbox.
            resident = Math.Max(resident, await StartAsync(ours, socket, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc", Repository.Executor, "--listen", $"unix:{socket}"));
            await StartAsync(python, socket, "python3", "-c", PythonServer, socket);
        }

        return
        [
            Row.OfTimes("executor: start to first answer", ours, "a bare `http.server` in python3", python, "at most 40 ms"),
            new Row("executor: resident after it", $"at most {Row.Number(resident)} MB", "–", "–", "under 25 MB"),
        ];
    }

    private const string PythonServer = """
        import http.server, socketserver, sys
        class S(socketserver.UnixStreamServer): pass
        class H(http.server.BaseHTTPRequestHandler):
            def address_string(self): return ''
            def log_message(self, *a): pass
            def do_GET(self):
                self.send_response(200); self.send_header('Content-Length', '0'); self.end_headers()
        S(sys.argv[1], H).serve_forever()
        """;

    private static async Task<double> StartAsync(Samples samples, string socket, string program, params string[] arguments)
    {
        File.Delete(socket);
        var started = Stopwatch.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
                return new NetworkStream(connection, ownsSocket: true);
            },
        });
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (true)
        {
            try
            {
                using var answer = await http.GetAsync(new Uri("http://executor/healthz"));
                break;
            }
            catch (HttpRequestException)
            {
                await tick.WaitForNextTickAsync();
            }
        }

        samples.Add(Stopwatch.GetElapsedTime(started));
        var resident = Resident(process.Id);
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        return resident;
    }

    /// <summary>MB of the process, or of its child where the process only waits for one.</summary>
    private static double Resident(int pid)
    {
        var children = File.ReadAllText($"/proc/{pid}/task/{pid}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return Measure.ResidentMegabytes(children.Length > 0 ? int.Parse(children[0], CultureInfo.InvariantCulture) : pid);
    }
}
