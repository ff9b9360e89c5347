using System.Collections.Concurrent;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Posix;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>Starts executions, knows those that run, and owns what is left of those that do not.</summary>
internal sealed partial class ExecutionRegistry(
    IProcessTreeFactory trees, OomCounter oom, TimeProvider timeProvider, ILogger<ExecutionRegistry> logger)
{
    private readonly ConcurrentDictionary<Execution, Task> _running = [];
    private int _openStreams;
    private long _lastActivity;

    /// <summary>What <c>GET /api/stats</c> says.</summary>
    public ExecutorStats Stats => new()
    {
        Running = _running.Keys.Count(execution => !execution.Exited.IsCompleted),
        OpenStreams = Volatile.Read(ref _openStreams),
        LastActivity = Interlocked.Read(ref _lastActivity) is var ticks and not 0 ? new DateTimeOffset(ticks, TimeSpan.Zero) : null,
        Flavour = Server.Flavour.Name,
    };

    /// <summary>Starts a command, and <paramref name="follow"/>s it to its end.</summary>
    /// <param name="start">The command.</param>
    /// <param name="follow">Reads its output, and returns when no more is wanted. The tree lives on; killing it is <paramref name="follow"/>'s.</param>
    /// <exception cref="StartFailedException">It does not run.</exception>
    public async Task RunAsync(ProcessStart start, Func<Execution, Task> follow)
    {
        var execution = await Execution.StartAsync(start, trees, oom);
        Touch();
        _running[execution] = Task.CompletedTask;
        try
        {
            await follow(execution);
        }
        finally
        {
            _running[execution] = DrainAsync(execution);
            Touch();
        }
    }

    /// <summary>Something happened just now.</summary>
    public void Touch() => Interlocked.Exchange(ref _lastActivity, timeProvider.GetUtcNow().UtcTicks);

    /// <summary>Counts a response until it is disposed.</summary>
    public IDisposable CountStream() => new StreamCount(this);

    /// <summary>Kills everything that was ever started here.</summary>
    public void KillAll() => trees.KillAll();

    private async Task DrainAsync(Execution execution)
    {
        await Task.Yield();
        try
        {
            await execution.DrainAsync();
        }
        catch (Exception error)
        {
            LogDrainFailed(error, execution.Pid);
        }
        finally
        {
            _running.TryRemove(execution, out _);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "What process {Pid} left behind could not be looked after.")]
    private partial void LogDrainFailed(Exception error, int pid);

    private sealed class StreamCount : IDisposable
    {
        private readonly ExecutionRegistry _registry;

        public StreamCount(ExecutionRegistry registry)
        {
            _registry = registry;
            Interlocked.Increment(ref registry._openStreams);
        }

        public void Dispose() => Interlocked.Decrement(ref _registry._openStreams);
    }
}
