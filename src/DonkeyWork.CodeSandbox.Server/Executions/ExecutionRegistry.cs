using System.Collections.Concurrent;
using System.Security.Cryptography;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Http;
using DonkeyWork.CodeSandbox.Server.Posix;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>Starts executions, remembers each that has an id, and owns what is left of those that do not run any more.</summary>
/// <param name="host">What executions need.</param>
/// <param name="environment">What they find.</param>
/// <param name="logger">Where failures go that nobody else is told of.</param>
/// <param name="maxNamed">How many ids are remembered.</param>
internal sealed partial class ExecutionRegistry(
    ExecutionHost host, SandboxEnvironment environment, ILogger<ExecutionRegistry> logger, int maxNamed = ExecutionRegistry.MaxNamed)
{
    /// <summary>How many ids a sandbox remembers; they never start twice, so none is forgotten.</summary>
    public const int MaxNamed = 10_000;

    /// <summary>What is remembered of the commands of ended executions, in characters; the oldest are forgotten first.</summary>
    private const long MaxCommandChars = 4 * 1024 * 1024;

    private const int RetryAfterSeconds = 1;
    private const int OwnIdBytes = 8;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, NamedExecution> _named = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Execution, bool> _running = [];
    private readonly Queue<(Execution Execution, long Chars)> _remembered = [];
    private long _rememberedChars;
    private int _openStreams;
    private long _lastActivity;

    /// <summary>What <c>GET /api/stats</c> says.</summary>
    public ExecutorStats Stats => new()
    {
        Running = _running.Keys.Count(execution => execution.IsRunning),
        OpenStreams = Volatile.Read(ref _openStreams),
        LastActivity = Interlocked.Read(ref _lastActivity) is var ticks and not 0 ? new DateTimeOffset(ticks, TimeSpan.Zero) : null,
        Flavour = Server.Flavour.Name,
    };

    /// <summary>Starts an execution, or finds the one that was started with the same id.</summary>
    /// <param name="request">What to start.</param>
    /// <param name="streams">Whether the caller goes on to read its output, so that it is held by default.</param>
    /// <exception cref="RequestException">
    /// With <c>invalid_request</c>, <c>command_too_long</c>, <c>execution_exists</c>, <c>execution_deleted</c>,
    /// <c>too_many_executions</c> or <c>start_failed</c>.
    /// </exception>
    public Task<(Execution Execution, bool IsNew)> StartAsync(StartExecutionRequest request, bool streams) =>
        StartAsync(ExecutionPlan.From(request, environment, streams));

    /// <summary>The same for what was checked already.</summary>
    public Task<(Execution Execution, bool IsNew)> StartAsync(ExecutionPlan plan) => StartAsync(plan, plan.Fingerprint);

    /// <summary>Starts an execution, or finds the one of this id, whatever it is; that it is the right one is the caller's to see.</summary>
    /// <exception cref="RequestException">As of a start, but <c>execution_exists</c>.</exception>
    public Task<(Execution Execution, bool IsNew)> FindOrStartAsync(ExecutionPlan plan) => StartAsync(plan, null);

    /// <summary>Starts one that nobody can ask for; <see cref="Forget"/> ends it.</summary>
    /// <param name="plan">What to start.</param>
    /// <param name="beforeOutput">Called before any output is taken: a reader opened here misses nothing.</param>
    /// <exception cref="RequestException">With <c>start_failed</c>.</exception>
    public Task<Execution> StartUnnamedAsync(ExecutionPlan plan, Action<Execution>? beforeOutput = null) => StartAsync("", plan, beforeOutput);

    /// <summary>Nobody reads it any more; what it still prints is drained.</summary>
    public static void Forget(Execution execution) => execution.Forget();

    /// <summary>The execution of this id.</summary>
    /// <exception cref="RequestException">With <c>execution_not_found</c> or <c>execution_deleted</c>.</exception>
    public Execution Get(string id) => Find(id).Started ?? throw NotFound();

    /// <summary>All that were not deleted, in the order of their ids.</summary>
    public IReadOnlyList<Execution> List()
    {
        lock (_gate)
            return [.. _named.Values.Select(named => named.Listed).OfType<Execution>().OrderBy(execution => execution.Id, StringComparer.Ordinal)];
    }

    /// <summary>Kills an execution and all that came of it, and forgets its output. Its id never starts again.</summary>
    /// <exception cref="RequestException">With <c>execution_not_found</c> or <c>execution_deleted</c>.</exception>
    /// <exception cref="IOException">The kernel refuses to kill it; this can be repeated.</exception>
    public async Task DeleteAsync(string id)
    {
        if (!await Find(id).DeleteAsync())
            throw NotFound();
        Touch();
    }

    /// <summary>Something happened just now.</summary>
    public void Touch() => Interlocked.Exchange(ref _lastActivity, host.Time.GetUtcNow().UtcTicks);

    /// <summary>Counts a response until it is disposed.</summary>
    public IDisposable CountStream() => new StreamCount(this);

    /// <summary>Kills everything that was ever started here.</summary>
    public void KillAll() => host.Trees.KillAll();

    private async Task<(Execution Execution, bool IsNew)> StartAsync(ExecutionPlan plan, byte[]? sameFingerprint)
    {
        NamedExecution? named;
        bool isNew;
        lock (_gate)
        {
            var id = plan.Id ?? NewId();
            isNew = !_named.TryGetValue(id, out named);
            if (isNew)
            {
                if (_named.Count >= maxNamed)
                    throw TooMany();
                _named[id] = named = new NamedExecution(id, plan.Fingerprint);
            }
        }

        if (!isNew)
            return (await named!.AttachAsync(sameFingerprint), false);
        try
        {
            var execution = await StartAsync(named!.Id, plan);
            named.SetStarted(execution);
            return (execution, true);
        }
        catch (Exception error)
        {
            lock (_gate)
                _named.Remove(named!.Id);
            // Whoever waits for it is told; what it was is logged for the one who began.
            named.SetFailed(error as RequestException
                ?? new RequestException(StatusCodes.Status500InternalServerError, ErrorCodes.InternalError, "The execution could not be started."));
            throw;
        }
    }

    private async Task<Execution> StartAsync(string id, ExecutionPlan plan, Action<Execution>? beforeOutput = null)
    {
        Execution execution;
        try
        {
            execution = await Execution.StartAsync(id, plan, host, Touch);
        }
        catch (StartFailedException error)
        {
            throw error.IsTemporary
                ? new RequestException(StatusCodes.Status503ServiceUnavailable, ErrorCodes.StartFailed, error.Message) { RetryAfterSeconds = RetryAfterSeconds }
                : new RequestException(StatusCodes.Status422UnprocessableEntity, ErrorCodes.StartFailed, error.Message);
        }

        Touch();
        beforeOutput?.Invoke(execution);
        _running[execution] = true;
        _ = RunAsync(execution, plan.Timeout);
        return execution;
    }

    /// <summary>Owned by the registry: ends when nobody has the execution's pipes any more.</summary>
    private async Task RunAsync(Execution execution, TimeSpan? timeout)
    {
        await Task.Yield();
        try
        {
            var run = execution.RunAsync(timeout);
            await Task.WhenAny(execution.Completed, run);
            Touch();
            if (execution.Id.Length > 0)
                Remember(execution);
            await run;
        }
        catch (Exception error)
        {
            LogRunFailed(error, execution.Pid);
        }
        finally
        {
            _running.TryRemove(execution, out _);
        }
    }

    private void Remember(Execution execution)
    {
        var chars = (execution.Command?.Length ?? 0) + (execution.Argv?.Sum(argument => (long)argument.Length) ?? 0);
        lock (_gate)
        {
            _remembered.Enqueue((execution, chars));
            _rememberedChars += chars;
            while (_rememberedChars > MaxCommandChars)
            {
                var (oldest, its) = _remembered.Dequeue();
                oldest.ForgetCommand();
                _rememberedChars -= its;
            }
        }
    }

    private NamedExecution Find(string id)
    {
        lock (_gate)
            return _named.TryGetValue(id, out var named) ? named : throw NotFound();
    }

    private string NewId()
    {
        while (true)
        {
            var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(OwnIdBytes));
            if (!_named.ContainsKey(id))
                return id;
        }
    }

    private RequestException TooMany() => new(
        StatusCodes.Status429TooManyRequests, ErrorCodes.TooManyExecutions, $"The sandbox has started {maxNamed} executions, and forgets none of their ids.");

    private static RequestException NotFound() =>
        new(StatusCodes.Status404NotFound, ErrorCodes.ExecutionNotFound, "No execution of this id was started here.");

    [LoggerMessage(Level = LogLevel.Error, Message = "Process {Pid} could not be looked after.")]
    private partial void LogRunFailed(Exception error, int pid);

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
