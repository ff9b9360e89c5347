using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;
using DonkeyWork.CodeSandbox.Server.Files;
using DonkeyWork.CodeSandbox.Server.Http;
using DonkeyWork.CodeSandbox.Server.Posix;
using DonkeyWork.CodeSandbox.Server.Terminals;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server;

/// <summary>Puts the executor together and runs it.</summary>
internal static class Executor
{
    /// <summary>
    /// What the kernel may have in flight to a caller. With what the Manager and our client buffer it stays below the quarter of
    /// an output that is still there after a cut.
    /// </summary>
    private const int SendBufferBytes = 256 * 1024;

    /// <summary>
    /// Commands can reach the listener, and without a token still take a connection and its descriptor. Far above what callers
    /// need, and low enough that descriptors are left for commands (Local allows 4,096). Terminals do not count.
    /// </summary>
    private const int MaxConnections = 1000;

    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(2);

    /// <summary>Serves until asked to end; then breaks off every response and kills what runs.</summary>
    /// <exception cref="IOException">It cannot serve there, or the environment is not one it can run commands in.</exception>
    /// <exception cref="UsageException">An option or variable is wrong.</exception>
    public static async Task RunAsync(ExecutorOptions options, SelfProtection quit)
    {
        var time = TimeProvider.System;
        var start = ReadStart();
        var environment = new SandboxEnvironment(Environment.GetEnvironmentVariable);
        environment.Add(start.Environment);
        var admission = new Admission(ReadTokenHash(), Environment.GetEnvironmentVariable(ExecutorProtocol.PoolVariable) == "1", new ClaimIdentity(start.Owner, start.ClaimId));
        var oom = new OomCounter(options.OomEvents is { } events ? OpenFile("--oom-events", events, O_RDONLY) : null);
        _ = oom.Read();
        if (options.NoInotify)
            Native.ForbidInotify();
        var trees = ChooseTrees(options);

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        // A failed start is told once, by Program.
        builder.Logging.AddProvider(new TerminalLoggerProvider()).AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = Listen);
        ConnectionMemory.Register(builder.Services);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, options.Listen));
        await using var app = builder.Build();
        var loggers = app.Services.GetRequiredService<ILoggerFactory>();

        var host = new ExecutionHost(trees, oom, new LogPlace(options.OutputDirectory), time, loggers.CreateLogger<Execution>());
        var registry = new ExecutionRegistry(host, environment, loggers.CreateLogger<ExecutionRegistry>());
        var startup = new StartupCommand(start.Argv, registry, environment, loggers.CreateLogger<StartupCommand>());
        var background = new BackgroundTask(startup.RunAsync);
        var execute = new ExecuteEndpoint(registry, environment, time);
        var terminal = new TerminalEndpoint(registry, environment, new TerminalAttendance(time));
        var claim = new ClaimEndpoint(admission, environment, background.Start);

        using var ending = new CancellationTokenSource();
        app.Use(async (context, next) =>
        {
            // What is cut off by the sandbox's end must not look as if it had come to one of its own.
            await using var cut = ending.Token.Register(context.Abort);
            await next(context);
        });
        app.UseMiddleware<ProblemMiddleware>();
        app.Use((context, next) =>
        {
            admission.Check(context);
            return next(context);
        });
        app.UseWebSockets(TerminalEndpoint.Options);
        app.UseRouting();
        app.MapGet(Routes.Health, static context => context.Response.WriteAsync("Healthy", context.RequestAborted));
        app.MapGet(Routes.Stats, context => Json.WriteAsync(context, registry.Stats, ContractsJsonContext.Default.ExecutorStats));
        app.MapPost(Routes.Claim, claim.HandleAsync);
        app.MapPost(Routes.Execute, execute.HandleAsync);
        new ExecutionEndpoints(registry, time).Map(app);
        new FileEndpoints(registry, environment.HomeDirectory, time, loggers.CreateLogger<FileEndpoints>()).Map(app);
        app.MapGet(Routes.Terminal, terminal.HandleAsync);

        if (admission.IsClaimed)
            background.Start();
        await StartAsync(app, options.Listen);
        await quit.WaitForQuitAsync(CancellationToken.None);

        await ending.CancelAsync();
        registry.KillAll();
        using var grace = new CancellationTokenSource(StopGrace, time);
        await app.StopAsync(grace.Token);
        await background.Completion;
    }

    private static void Configure(KestrelServerOptions kestrel, ListenAddress listen)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = MaxConnections;
        kestrel.Limits.MaxRequestBodySize = Json.MaxDiscardedBytes;
        // A path of 4,096 bytes has three times as many characters when each is escaped.
        kestrel.Limits.MaxRequestLineSize = 16 * 1024;
        kestrel.Limits.MaxResponseBufferSize = ResponseBuffer.MaxBytes;
        // A slow reader holds its command, and who types is slow; neither is cut off.
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http1);
        if (listen.SocketPath is { } path)
        {
            kestrel.ListenUnixSocket(path);
        }
        else if (listen.Descriptor is { } descriptor)
        {
            using var inherited = new SafeFileHandle(descriptor, ownsHandle: false);
            if (Native.FileControl(inherited, Native.F_SETFD, Native.FD_CLOEXEC) < 0)
                throw new IOException($"--listen fd:{descriptor}: {Marshal.GetLastPInvokeErrorMessage()}");
            kestrel.ListenHandle((ulong)descriptor);
        }
        else if (listen.Address is { } address)
        {
            kestrel.Listen(address, listen.Port!.Value);
        }
        else
        {
            kestrel.ListenAnyIP(listen.Port!.Value);
        }
    }

    /// <summary>Accepted sockets inherit the size (tcp(7)); Unix sockets have about as much.</summary>
    private static Socket Listen(EndPoint endPoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        if (socket.ProtocolType == ProtocolType.Tcp)
            socket.SendBufferSize = SendBufferBytes;
        return socket;
    }

    private static async Task StartAsync(WebApplication app, ListenAddress listen)
    {
        try
        {
            await app.StartAsync();
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            throw new IOException($"Cannot listen on {listen}: {error.Message}", error);
        }
    }

    private static IProcessTreeFactory ChooseTrees(ExecutorOptions options)
    {
        var children = new ChildReaper();
        var spawner = new ProcessSpawner(children, options.TasksLimit - ExecutorOptions.ReservedTasks);
        if (options.Cgroup is { } cgroup)
            return new CgroupTreeFactory(OpenFile("--cgroup", cgroup, O_RDONLY | O_DIRECTORY), children, spawner);
        if (Environment.ProcessId != 1)
        {
            throw new UsageException(
                "without --cgroup the executor must be PID 1 of its pid namespace, or commands could not be killed for certain. "
                + "Give it a cgroup v2 directory, or start it as the first process of a container");
        }

        return new ReaperTreeFactory(children, spawner, Path.Combine(AppContext.BaseDirectory, "codesandbox-reaper"));
    }

    private static SafeFileHandle OpenFile(string option, FileReference file, int flags)
    {
        if (file.Path is null)
        {
            var given = new SafeFileHandle(file.Descriptor, ownsHandle: true);
            return Native.FileControl(given, Native.F_SETFD, Native.FD_CLOEXEC) < 0
                ? throw new UsageException($"{option} fd:{file.Descriptor}: {Marshal.GetLastPInvokeErrorMessage()}")
                : given;
        }

        var descriptor = Native.Open(file.Path, flags | O_CLOEXEC, 0);
        return descriptor < 0
            ? throw new UsageException($"{option} {file.Path}: {Marshal.GetLastPInvokeErrorMessage()}")
            : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    private static SandboxStart ReadStart()
    {
        var json = Environment.GetEnvironmentVariable(ExecutorProtocol.StartVariable);
        if (string.IsNullOrEmpty(json))
            return new SandboxStart();
        try
        {
            return JsonSerializer.Deserialize(json, ContractsJsonContext.Default.SandboxStart) ?? new SandboxStart();
        }
        catch (JsonException error)
        {
            throw new UsageException($"{ExecutorProtocol.StartVariable} is not what it should be: {error.Message}");
        }
    }

    private static byte[]? ReadTokenHash()
    {
        var hex = Environment.GetEnvironmentVariable(ExecutorProtocol.TokenHashVariable);
        if (string.IsNullOrEmpty(hex))
            return null;
        try
        {
            return Convert.FromHexString(hex) is { Length: 32 } hash ? hash : throw new FormatException();
        }
        catch (FormatException)
        {
            throw new UsageException($"{ExecutorProtocol.TokenHashVariable} is not a SHA-256 in hex");
        }
    }
}
