using DonkeyWork.CodeSandbox.Server.Executions;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;
using DonkeyWork.CodeSandbox.Server.Http;
using DonkeyWork.CodeSandbox.Server.Terminals;
using DonkeyWork.CodeSandbox.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace DonkeyWork.CodeSandbox.Server.Tests.Running;

/// <summary>
/// The executor's executions and terminals in this process, on a socket and with real programs, but with a clock that stands still
/// until a test advances it.
/// </summary>
internal sealed class ClockedExecutor : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("executor-clocked-");
    private readonly WebApplication _app;

    private ClockedExecutor(TimeProvider? forAbsences)
    {
        Api = new ExecutorApi(InDirectory("socket"));
        var host = new ExecutionHost(Trees, new OomCounter(null), new LogPlace(_directory.FullName), Clock, NullLogger<Execution>.Instance);
        var environment = new SandboxEnvironment(name => name == "HOME" ? _directory.FullName : null);
        Registry = new ExecutionRegistry(host, environment, NullLogger<ExecutionRegistry>.Instance);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(Api.SocketPath));
        _app = builder.Build();
        _app.UseMiddleware<ProblemMiddleware>();
        _app.UseWebSockets(TerminalEndpoint.Options);
        _app.UseRouting();
        new ExecutionEndpoints(Registry, Clock).Map(_app);
        _app.MapGet(Routes.Terminal, new TerminalEndpoint(Registry, environment, new TerminalAttendance(forAbsences ?? Clock)).HandleAsync);
    }

    public ManualClock Clock { get; } = new();

    public HostTrees Trees { get; } = new();

    public ExecutionRegistry Registry { get; }

    public ExecutorApi Api { get; }

    /// <summary>What this process has open below the directory that output goes to, as the kernel tells.</summary>
    public IReadOnlyList<string> OpenFiles =>
        [.. Directory.GetFileSystemEntries("/proc/self/fd").Where(path => IsOurs(new FileInfo(path).LinkTarget))];

    /// <param name="forAbsences">The clock of those who left a terminal; <see langword="null"/>: that of everything else.</param>
    public static async Task<ClockedExecutor> StartAsync(TimeProvider? forAbsences = null)
    {
        var executor = new ClockedExecutor(forAbsences);
        await executor._app.StartAsync();
        return executor;
    }

    /// <summary>A file in the directory of output, where commands begin.</summary>
    public string InDirectory(string name) => Path.Combine(_directory.FullName, name);

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await _app.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private bool IsOurs(string? target) => target?.StartsWith(_directory.FullName + "/#", StringComparison.Ordinal) is true;
}
