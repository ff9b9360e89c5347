using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;

namespace DonkeyWork.CodeSandbox.Manager.Tests;

/// <summary>The whole Manager on a real Kestrel, over the in-memory backend and an executor that a test scripts.</summary>
internal sealed class TestManager : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestManager(WebApplication app, InMemoryBackend backend, ScriptedExecutor executor)
    {
        _app = app;
        Backend = backend;
        Executor = executor;
        Url = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        Http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Url, Timeout = Patience.Limit };
    }

    public InMemoryBackend Backend { get; }

    public ScriptedExecutor Executor { get; }

    public Uri Url { get; }

    public HttpClient Http { get; }

    public IServiceProvider Services => _app.Services;

    public static Task<TestManager> StartAsync(params string[] settings) => StartAsync(TimeProvider.System, settings);

    public static async Task<TestManager> StartAsync(TimeProvider clock, params string[] settings)
    {
        var executor = new ScriptedExecutor();
        var backend = new InMemoryBackend { IsReadyAtOnce = true, Executor = executor.Address };
        // Tests count sandboxes; those that are about the pool set its size.
        string[] defaults = ["--urls=http://127.0.0.1:0", "--KataContainerManager:WarmPoolSize=0", "--Serilog:MinimumLevel:Default=Fatal", "--Serilog:MinimumLevel:Override:Microsoft.Hosting.Lifetime=Fatal"];
        var app = ManagerApplication.Build([.. defaults, .. settings], builder =>
        {
            builder.Services.AddSingleton<ISandboxBackend>(backend);
            builder.Services.AddSingleton(new SandboxTokens("a secret of this test"u8.ToArray()));
            builder.Services.AddSingleton(clock);
        });
        await app.StartAsync();
        await app.Services.GetRequiredService<SandboxRegistry>().WaitUntilListedAsync(CancellationToken.None);
        return new TestManager(app, backend, executor);
    }

    /// <summary>A ready sandbox; its name.</summary>
    public async Task<string> CreateAsync()
    {
        using var response = await Http.PostAsync("/api/kata", null);
        response.EnsureSuccessStatusCode();
        await response.Content.ReadAsStringAsync();
        var name = Backend.Sandboxes.MaxBy(sandbox => int.Parse(sandbox.Version))!.Name;
        // Shown by the view without a live read.
        var registry = Services.GetRequiredService<SandboxRegistry>();
        // What is waited to change is what was looked at: what came in between may have been the last change there is.
        var seen = registry.Find(name);
        while (seen is not { IsReady: true }) seen = await registry.NextAsync(name, seen, Patience.Limit, CancellationToken.None);
        return name;
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
        await Executor.DisposeAsync();
        Backend.Dispose();
    }
}
