using System.Text.Json.Serialization;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Kubernetes;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Local;
using DonkeyWork.CodeSandbox.Local.Host;
using DonkeyWork.CodeSandbox.Local.State;
using DonkeyWork.CodeSandbox.Manager.Access;
using DonkeyWork.CodeSandbox.Manager.Configuration;
using DonkeyWork.CodeSandbox.Manager.Draining;
using DonkeyWork.CodeSandbox.Manager.Health;
using DonkeyWork.CodeSandbox.Manager.Kata;
using DonkeyWork.CodeSandbox.Manager.Logging;
using DonkeyWork.CodeSandbox.Manager.Problems;
using DonkeyWork.CodeSandbox.Manager.Reference;
using DonkeyWork.CodeSandbox.Manager.Relaying;
using DonkeyWork.CodeSandbox.Manager.Terminals;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Serilog;
using Serilog.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Manager;

/// <summary>The Manager, put together.</summary>
internal static class ManagerApplication
{
    // Behind the drain: what the backend needs to let go of its sandboxes.
    private static readonly TimeSpan ShutdownPatience = TimeSpan.FromSeconds(30);

    // What is on its way to a caller when its connection breaks must be much less than an execution keeps of its output. Left
    // to itself the kernel goes up to 4 MiB (tcp(7), tcp_wmem).
    private const int SendBytes = 512 * 1024;

    /// <summary>Builds the Manager from its configuration.</summary>
    /// <param name="args">The command line: settings as <c>--Section:Key=value</c>.</param>
    /// <param name="configure">Registers another backend (with its <see cref="SandboxTokens"/>) or clock than the configured one.</param>
    /// <param name="keepsUp">Whether it also fills the pool, and removes what nobody uses, of whomever.</param>
    /// <exception cref="InvalidConfigurationException">The configuration is unusable; all faults are told.</exception>
    /// <exception cref="StateDirectoryInUseException">Another Manager works on the state directory.</exception>
    /// <exception cref="ClusterConfigurationException">It cannot be told where the cluster's API server is, or who we are.</exception>
    public static WebApplication Build(string[] args, Action<WebApplicationBuilder>? configure = null, bool keepsUp = true)
    {
        var builder = CreateBuilder(args);
        configure?.Invoke(builder);
        var settings = ManagerSettings.Read(builder.Configuration);
        AddServer(builder, settings.Options);
        AddLogging(builder);
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton<Drain>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<Drain>());
        builder.Services.AddApiDocument();
        // Before the core, whose registry watches it from its start on.
        if (builder.Services.All(service => service.ServiceType != typeof(ISandboxBackend))) AddBackend(builder.Services, settings, keepsUp);
        builder.Services.AddSandboxes(settings.Options);
        if (keepsUp) builder.Services.AddUpkeep();

        var app = builder.Build();
        app.UseMiddleware<RequestLog>();
        app.UseMiddleware<ProblemMiddleware>();
        app.UseMiddleware<CallerGuard>();
        app.UseMiddleware<DrainGuard>();
        app.UseRouting();
        app.UseMiddleware<BodyLimit>();
        app.UseTerminals();
        app.MapKata();
        app.MapHealth();
        app.MapScalar();
        app.MapOpenApi();
        Announce(app);
        return app;
    }

    private static void AddBackend(IServiceCollection services, ManagerSettings settings, bool keepsUp)
    {
        if (settings.Options.Backend == BackendKind.Local)
        {
            services.AddLocalBackend(settings.Local);
            return;
        }

        services.AddKubernetesBackend(settings.Options);
        if (keepsUp) services.AddKubernetesLeadership(settings.Options);
    }

    /// <summary>The configuration as <see cref="Build"/> reads it.</summary>
    public static IConfiguration ReadConfiguration(string[] args) => CreateBuilder(args).Configuration;

    // Settings are read once: watching their files would take inotify instances, of which a user's processes share a few.
    private static WebApplicationBuilder CreateBuilder(string[] args) => WebApplication.CreateSlimBuilder(new WebApplicationOptions
    {
        Args = [.. args, "--hostBuilder:reloadConfigOnChange=false"],
        ContentRootPath = AppContext.BaseDirectory,
    });

    /// <summary>Tells who finds the state directory taken where to ask instead.</summary>
    private static void Announce(WebApplication app)
    {
        if (app.Services.GetService<StateDirectory>() is { } state)
            app.Lifetime.ApplicationStarted.Register(() => state.Announce(ListenAddresses.FromHere(app.Urls)));
    }

    private static void AddServer(WebApplicationBuilder builder, ManagerOptions options)
    {
        if (ListenAddresses.Read(builder.Configuration).Count == 0) builder.WebHost.UseUrls(ListenAddresses.Default);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = BodyLimit.MaxDrainedBytes;
            // A path of 4,096 bytes takes three times as many where each is escaped.
            kestrel.Limits.MaxRequestLineSize = 16 * 1024;
            // A stream may be silent for seconds, and its reader may be slow: that holds the command, as a full pipe would.
            kestrel.Limits.MinResponseDataRate = null;
        });
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, ConnectionMemory>();
        // What is accepted inherits it (socket(7)).
        builder.Services.Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = endpoint =>
        {
            var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
            socket.SendBufferSize = SendBytes;
            return socket;
        });
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Drain + ShutdownPatience);
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ContractsJsonContext.Default);
            json.SerializerOptions.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
    }

    private static void AddLogging(WebApplicationBuilder builder)
    {
        var logger = new LoggerConfiguration().ReadFrom.Configuration(builder.Configuration)
            // What is missing on this machine is told once, by the program, without a stack.
            .Filter.ByExcluding(logged => logged.Exception is HostRequirementsException)
            .CreateLogger();
        builder.Services.AddSingleton<ILoggerFactory>(new SerilogLoggerFactory(logger, dispose: true));
    }
}
