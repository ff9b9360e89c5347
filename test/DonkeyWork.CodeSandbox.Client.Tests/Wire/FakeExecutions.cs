using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Client.Tests.Wire;

/// <summary>Plays the executions of one sandbox, whichever Manager asks. What a start does is the test's to say.</summary>
internal sealed class FakeExecutions
{
    private readonly ConcurrentDictionary<string, bool> _deleted = new();

    public ConcurrentDictionary<string, FakeExecution> All { get; } = new();

    /// <summary>Every start that was no repetition.</summary>
    public ConcurrentQueue<JsonElement> Starts { get; } = new();

    public Action<FakeExecution, JsonElement> OnStart { get; set; } = (execution, _) => execution.Start();

    /// <summary>Called for each request before it is answered; what returns <c>true</c> has answered it.</summary>
    public Func<HttpContext, Task<bool>> Before { get; set; } = _ => Task.FromResult(false);

    /// <summary>What is answered is done, but the answer is lost.</summary>
    public Func<HttpContext, bool> LosesAnswer { get; set; } = _ => false;

    public async Task AnswerAsync(HttpContext context, string[] path)
    {
        if (await Before(context))
            return;
        if (LosesAnswer(context))
        {
            var response = context.Response.Body;
            context.Response.Body = Stream.Null;
            await AnswerCoreAsync(context, path);
            context.Response.Body = response;
            context.Abort();
            return;
        }

        await AnswerCoreAsync(context, path);
    }

    private Task AnswerCoreAsync(HttpContext context, string[] path)
    {
        if (path is [])
            return context.Request.Method == "POST" ? StartAsync(context) : Sse.JsonAsync(context, $"[{string.Join(',', All.Values.Select(e => $"{{{e.State}}}"))}]");
        if (_deleted.ContainsKey(path[0]))
            return Sse.ProblemAsync(context, 410, "execution_deleted");
        if (!All.TryGetValue(path[0], out var execution))
            return Sse.ProblemAsync(context, 404, "execution_not_found");
        return (context.Request.Method, path[1..]) switch
        {
            ("GET", []) => Sse.JsonAsync(context, $"{{{execution.State}}}"),
            ("DELETE", []) => DeleteAsync(context, execution),
            ("GET", ["events"]) => execution.Log.AnswerAsync(context),
            ("POST", ["stdin"]) => execution.TakeInputAsync(context),
            ("DELETE", ["stdin"]) => execution.EndInputAsync(context),
            ("POST", ["signal"]) => WithBodyAsync(context, body => execution.SignalAsync(context, body.GetProperty("signal").GetString()!)),
            ("POST", ["resize"]) => WithBodyAsync(context, body => execution.SignalAsync(context, $"{body.GetProperty("cols")}x{body.GetProperty("rows")}")),
            _ => Sse.ProblemAsync(context, 404, "not_found"),
        };
    }

    private Task StartAsync(HttpContext context) => WithBodyAsync(context, body =>
    {
        var id = body.GetProperty("id").GetString()!;
        if (_deleted.ContainsKey(id))
            return Sse.ProblemAsync(context, 410, "execution_deleted");
        var isNew = false;
        FakeExecution execution;
        lock (All)
        {
            execution = All.GetOrAdd(id, _ =>
            {
                isNew = true;
                return new FakeExecution(id);
            });
        }

        if (isNew)
        {
            Starts.Enqueue(body);
            OnStart(execution, body);
        }

        context.Response.StatusCode = isNew ? 201 : 200;
        return Sse.JsonAsync(context, $"{{{execution.State}}}");
    });

    private Task DeleteAsync(HttpContext context, FakeExecution execution)
    {
        _deleted[execution.Id] = true;
        All.TryRemove(execution.Id, out _);
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    private static async Task WithBodyAsync(HttpContext context, Func<JsonElement, Task> answer)
    {
        context.Request.Body.Position = 0;
        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        await answer(body.RootElement.Clone());
    }
}
