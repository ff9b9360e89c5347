using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Client.Tests.Wire;

/// <summary>One execution of <see cref="FakeExecutions"/>.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Its handle is never asked for.")]
internal sealed class FakeExecution
{
    private readonly SemaphoreSlim _writing = new(1);
    private int? _exitCode;

    public FakeExecution(string id)
    {
        Id = id;
        Log = new FakeLog { Started = $"\"executionId\":\"{id}\",\"pid\":12" };
    }

    public string Id { get; }

    public FakeLog Log { get; }

    public List<string> Signals { get; } = [];

    /// <summary>All that was taken of standard input.</summary>
    public MemoryStream Input { get; } = new();

    public bool InputEnded { get; private set; }

    /// <summary>How much of a request's bytes is taken before the connection breaks; asked for each one.</summary>
    public Func<int?> InputCut { get; set; } = () => null;

    public Func<byte[], Task> OnInput { get; set; } = _ => Task.CompletedTask;

    public Action OnInputEnd { get; set; } = () => { };

    public Action<string> OnSignal { get; set; } = _ => { };

    public string State => string.Create(CultureInfo.InvariantCulture, $"\"id\":\"{Id}\",\"command\":\"x\",\"pid\":12,\"status\":\"{(_exitCode is null ? "running" : "exited")}\",\"startedAt\":\"2026-01-01T00:00:00Z\",\"stdoutBytes\":0,\"stderrBytes\":0,\"truncatedBytes\":0")
        + (_exitCode is { } code ? string.Create(CultureInfo.InvariantCulture, $",\"exitCode\":{code},\"reason\":\"exited\"") : "");

    public void Start() => Log.Add(0, "");

    public void Exit(int code = 0)
    {
        _exitCode = code;
        Log.Exit(State);
    }

    public async Task TakeInputAsync(HttpContext context)
    {
        context.Request.Body.Position = 0;
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var offset = long.Parse(context.Request.Query["offset"].ToString());
        await _writing.WaitAsync();
        try
        {
            if (offset > Input.Length)
            {
                await Sse.ProblemAsync(context, 409, "stdin_gap", $",\"offset\":{Input.Length}");
                return;
            }

            if (InputEnded || _exitCode is not null)
            {
                await Sse.ProblemAsync(context, 409, "stdin_closed");
                return;
            }

            var cut = InputCut();
            var fresh = body.ToArray().AsMemory((int)Math.Min(body.Length, Input.Length - offset));
            var taken = fresh[..Math.Min(fresh.Length, cut ?? int.MaxValue)].ToArray();
            Input.Write(taken);
            await OnInput(taken);
            if (cut is not null)
                context.Abort();
            else
                await Sse.JsonAsync(context, $"{{\"offset\":{Input.Length}}}");
        }
        finally
        {
            _writing.Release();
        }
    }

    public Task EndInputAsync(HttpContext context)
    {
        if (InputEnded)
            return Sse.ProblemAsync(context, 409, "stdin_closed");
        InputEnded = true;
        OnInputEnd();
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    public Task SignalAsync(HttpContext context, string signal)
    {
        if (_exitCode is not null)
            return Sse.ProblemAsync(context, 409, "execution_exited");
        Signals.Add(signal);
        OnSignal(signal);
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }
}
