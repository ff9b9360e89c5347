using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Client.Tests.Wire;

/// <summary>Plays the Manager: keeps a list of names, and lets the test answer creates and commands.</summary>
internal sealed class FakeManager : IAsyncDisposable
{
    public const string Name = "kata-sandbox-a1b2c3d4";

    private const string PoolStatus =
        """{"creating":1,"warm":2,"allocated":3,"manual":4,"total":10,"targetSize":5,"maxTotalContainers":50,"readyPercentage":40,"utilizationPercentage":70,"warmCount":2,"allocatedCount":3,"totalCount":10}""";

    private readonly ConcurrentDictionary<string, string> _claims = new();

    private FakeManager()
    {
    }

    public WireServer Server { get; private set; } = null!;

    public Uri Address => Server.Address;

    /// <summary>The sandboxes that exist.</summary>
    public ConcurrentDictionary<string, bool> Sandboxes { get; private init; } = new();

    public RequestDelegate OnCreate { get; set; } = null!;

    public RequestDelegate OnAllocate { get; set; } = null!;

    public RequestDelegate OnExecute { get; set; } = context => Sse.AnswerAsync(context, Sse.Completed());

    /// <summary>The executions of every sandbox; several Managers may have the same.</summary>
    public FakeExecutions Executions { get; init; } = new();

    /// <summary>The files of every sandbox, in the same way.</summary>
    public FakeFiles Files { get; init; } = new();

    public RequestDelegate OnTerminal { get; set; } = context => Sse.ProblemAsync(context, 409, "not_a_terminal");

    public RequestDelegate? OnDelete { get; set; }

    public int Asked(string line) => Server.Requests.Count(r => r.Line == line);

    /// <summary>A Manager, or another one of the same sandboxes.</summary>
    public static async Task<FakeManager> StartAsync(FakeManager? other = null)
    {
        var manager = other is null ? new FakeManager() : new FakeManager { Sandboxes = other.Sandboxes, Executions = other.Executions, Files = other.Files };
        manager.OnCreate = async context =>
        {
            manager.Sandboxes[Name] = true;
            await Sse.AnswerAsync(context, Sse.Created(Name), Sse.Waiting(Name), Sse.Ready(Name));
        };
        manager.OnAllocate = manager.AllocateAsync;
        manager.Server = await WireServer.StartAsync(manager.AnswerAsync);
        return manager;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Files.Dispose();
    }

    private Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return (context.Request.Method, path) switch
        {
            ("POST", ["api", "kata"]) => OnCreate(context),
            ("POST", ["api", "kata", "allocate"]) => OnAllocate(context),
            ("GET", ["api", "kata", "pool", "status"]) => Sse.JsonAsync(context, PoolStatus),
            ("GET", ["api", "kata"]) => Sse.JsonAsync(context, $"[{string.Join(',', Sandboxes.Keys.Select(Sse.Info))}]"),
            ("DELETE", ["api", "kata"]) => DeleteAllAsync(context),
            (_, ["api", "kata", var name, ..]) when !Sandboxes.ContainsKey(name) => Sse.ProblemAsync(context, 404, "sandbox_not_found"),
            ("GET", ["api", "kata", var name]) => Sse.JsonAsync(context, Sse.Info(name)),
            ("DELETE", ["api", "kata", _]) when OnDelete is not null => OnDelete(context),
            ("DELETE", ["api", "kata", var name]) => DeleteAsync(context, name),
            ("POST", ["api", "kata", _, "execute"]) => OnExecute(context),
            (_, ["api", "kata", _, "executions", .. var rest]) => Executions.AnswerAsync(context, rest),
            (_, ["api", "kata", _, "files", .. var rest]) => Files.AnswerAsync(context, rest),
            ("GET", ["api", "kata", _, "terminal"]) => OnTerminal(context),
            ("POST", ["api", "kata", var name, "keepalive"]) => Sse.JsonAsync(context, Sse.Info(name)),
            _ => Sse.ProblemAsync(context, 404, "not_found"),
        };
    }

    /// <summary>A claim as a Manager serves it: the same id again gives the same sandbox.</summary>
    public async Task AllocateAsync(HttpContext context)
    {
        context.Request.Body.Position = 0;
        using var request = await JsonDocument.ParseAsync(context.Request.Body);
        var name = _claims.GetOrAdd(request.RootElement.GetProperty("claimId").GetString()!, _ => $"kata-sandbox-{_claims.Count + 1:x8}");
        Sandboxes[name] = true;
        await Sse.JsonAsync(context, Sse.Info(name));
    }

    private Task DeleteAsync(HttpContext context, string name)
    {
        Sandboxes.TryRemove(name, out _);
        return Sse.JsonAsync(context, $"{{\"success\":true,\"message\":\"Container {name} deleted successfully\",\"podName\":\"{name}\"}}");
    }

    private Task DeleteAllAsync(HttpContext context)
    {
        var names = Sandboxes.Keys.ToList();
        Sandboxes.Clear();
        return Sse.JsonAsync(context, $"{{\"deletedCount\":{names.Count},\"failedCount\":0,\"deletedPods\":[{string.Join(',', names.Select(n => $"\"{n}\""))}],\"failedPods\":[]}}");
    }
}
