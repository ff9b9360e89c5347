using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Client.Tests.Wire;

/// <summary>Plays the Manager: keeps a list of names, and lets the test answer creates and commands.</summary>
internal sealed class FakeManager : IAsyncDisposable
{
    public const string Name = "kata-sandbox-a1b2c3d4";

    private FakeManager()
    {
    }

    public WireServer Server { get; private set; } = null!;

    public Uri Address => Server.Address;

    /// <summary>The sandboxes that exist.</summary>
    public ConcurrentDictionary<string, bool> Sandboxes { get; } = new();

    public RequestDelegate OnCreate { get; set; } = null!;

    public RequestDelegate OnExecute { get; set; } = context => Sse.AnswerAsync(context, Sse.Completed());

    public RequestDelegate? OnDelete { get; set; }

    public int Asked(string line) => Server.Requests.Count(r => r.Line == line);

    public static async Task<FakeManager> StartAsync()
    {
        var manager = new FakeManager();
        manager.OnCreate = async context =>
        {
            manager.Sandboxes[Name] = true;
            await Sse.AnswerAsync(context, Sse.Created(Name), Sse.Waiting(Name), Sse.Ready(Name));
        };
        manager.Server = await WireServer.StartAsync(manager.AnswerAsync);
        return manager;
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    private Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return (context.Request.Method, path) switch
        {
            ("POST", ["api", "kata"]) => OnCreate(context),
            ("GET", ["api", "kata"]) => JsonAsync(context, $"[{string.Join(',', Sandboxes.Keys.Select(Sse.Info))}]"),
            ("DELETE", ["api", "kata"]) => DeleteAllAsync(context),
            (_, ["api", "kata", var name, ..]) when !Sandboxes.ContainsKey(name) => Sse.ProblemAsync(context, 404, "sandbox_not_found"),
            ("GET", ["api", "kata", var name]) => JsonAsync(context, Sse.Info(name)),
            ("DELETE", ["api", "kata", _]) when OnDelete is not null => OnDelete(context),
            ("DELETE", ["api", "kata", var name]) => DeleteAsync(context, name),
            ("POST", ["api", "kata", _, "execute"]) => OnExecute(context),
            _ => Sse.ProblemAsync(context, 404, "not_found"),
        };
    }

    private Task DeleteAsync(HttpContext context, string name)
    {
        Sandboxes.TryRemove(name, out _);
        return JsonAsync(context, $"{{\"success\":true,\"message\":\"Container {name} deleted successfully\",\"podName\":\"{name}\"}}");
    }

    private Task DeleteAllAsync(HttpContext context)
    {
        var names = Sandboxes.Keys.ToList();
        Sandboxes.Clear();
        return JsonAsync(context, $"{{\"deletedCount\":{names.Count},\"failedCount\":0,\"deletedPods\":[{string.Join(',', names.Select(n => $"\"{n}\""))}],\"failedPods\":[]}}");
    }

    private static Task JsonAsync(HttpContext context, string json)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json);
    }
}
