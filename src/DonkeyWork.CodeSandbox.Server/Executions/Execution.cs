using System.Diagnostics.CodeAnalysis;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;
using DonkeyWork.CodeSandbox.Server.Http;
using DonkeyWork.CodeSandbox.Server.Posix;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>A command that runs or has run: its tree, its log, its input, and how it ended.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "RunAsync closes everything at the end.")]
internal sealed partial class Execution
{
    /// <summary>How long output is still awaited when the command has ended and a background child holds its pipes.</summary>
    public static readonly TimeSpan OutputGrace = TimeSpan.FromMilliseconds(150);

    /// <summary>How long output is kept after the end.</summary>
    public static readonly TimeSpan KeepOutput = TimeSpan.FromMinutes(10);

    /// <summary>When a kill that failed is tried again.</summary>
    private static readonly TimeSpan KillRetryInterval = TimeSpan.FromSeconds(1);

    private readonly ExecutionHost _host;
    private readonly ILogger<Execution> _logger;
    private readonly ProcessTree _tree;
    private readonly ProcessChannels _channels;
    private readonly long _oomKillsBefore;
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DateTimeOffset _startedAt;
    private volatile ExecutionEnd? _end;
    private volatile KilledFor _killedFor;
    private OutputPump[] _pumps;
    private ITimer? _expiry;

    private Execution(
        string id, ExecutionPlan plan, ExecutionHost host, ProcessTree tree, ProcessChannels channels, long oomKillsBefore, Action onOutput)
    {
        (Id, Command, Argv) = (id, plan.Command, plan.Argv);
        (_host, _logger, _tree, _channels, _oomKillsBefore) = (host, host.Logger, tree, channels, oomKillsBefore);
        _startedAt = host.Time.GetUtcNow();
        Log = new OutputLog(host.Place, plan.KeepBytes, plan.Holds);
        Stdin = new ExecutionStdin(channels);
        _pumps = channels.Error is { } error
            ? [new(channels.Output, OutputChannel.Stdout, Log, onOutput), new(error, OutputChannel.Stderr, Log, onOutput)]
            : [new(channels.Output, OutputChannel.Pty, Log, onOutput)];
    }

    /// <summary>Its name; empty for one that nobody can ask for.</summary>
    public string Id { get; }

    /// <summary>The command, where it was one.</summary>
    public string? Command { get; private set; }

    /// <summary>The argument array, where it was one.</summary>
    public IReadOnlyList<string>? Argv { get; private set; }

    /// <summary>The command's pid.</summary>
    public int Pid => _tree.Pid;

    /// <summary>Whether it has a terminal.</summary>
    public bool IsTerminal => _channels.IsTerminal;

    /// <summary>What it prints.</summary>
    public OutputLog Log { get; }

    /// <summary>Its standard input.</summary>
    public ExecutionStdin Stdin { get; }

    /// <summary>Whether the command itself still runs.</summary>
    public bool IsRunning => !_tree.Exited.IsCompleted;

    /// <summary>Whether the command has ended and whoever reads is told so, or is about to be.</summary>
    public bool HasEnded => _end is not null;

    /// <summary>Completes when the command has ended and its output is in the log. Its children may live on.</summary>
    public Task Completed => _completed.Task;

    /// <summary>As it is now.</summary>
    public ExecutionState State
    {
        get
        {
            var end = _end;
            var (first, second, truncated) = Log.Counts;
            return new ExecutionState
            {
                Id = Id,
                Command = Command,
                Argv = Argv,
                Pid = Pid,
                Status = end is null ? ExecutionStatus.Running : ExecutionStatus.Exited,
                StartedAt = _startedAt,
                ExitedAt = end?.At,
                ExitCode = end?.ExitCode,
                Signal = end?.Signal,
                Reason = end?.Reason,
                CpuMilliseconds = end?.CpuMilliseconds,
                PeakMemoryBytes = end?.PeakMemoryBytes,
                StdoutBytes = first,
                StderrBytes = second,
                TruncatedBytes = truncated,
            };
        }
    }

    /// <summary>Starts a command. <see cref="RunAsync(TimeSpan?)"/> must follow.</summary>
    /// <param name="id">Its name.</param>
    /// <param name="plan">What to start.</param>
    /// <param name="host">With what.</param>
    /// <param name="onOutput">Called whenever it prints.</param>
    /// <exception cref="StartFailedException">It does not run.</exception>
    public static async Task<Execution> StartAsync(string id, ExecutionPlan plan, ExecutionHost host, Action onOutput)
    {
        var oomKillsBefore = host.Oom.Read();
        var channels = plan.Pty is { } size ? ProcessChannels.Terminal(size.Cols, size.Rows) : ProcessChannels.Pipes(plan.Stdin);
        try
        {
            var tree = await host.Trees.StartAsync(plan.Start, channels);
            return new Execution(id, plan, host, tree, channels, oomKillsBefore, onOutput);
        }
        catch
        {
            channels.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Carries its output into the log to its end: that of the pipes, or, where a background child holds them, shortly after
    /// the command. Never before all is there that the command wrote. Then drains the pipes until their last holder is gone.
    /// </summary>
    /// <param name="timeout">When the tree is killed; <see langword="null"/>: never.</param>
    public async Task RunAsync(TimeSpan? timeout)
    {
        using (_channels)
        {
            try
            {
                await using var timer = timeout is { } due ? _host.Time.CreateTimer(_ => TimeOut(), null, due, Timeout.InfiniteTimeSpan) : null;
                await PumpAsync();
                // It may have closed its output and run on.
                await _tree.Exited;
            }
            finally
            {
                _end = await EndAsync();
                Stdin.End();
                Log.Complete();
                _expiry = _host.Time.CreateTimer(static log => ((OutputLog)log!).Expire(), Log, KeepOutput, Timeout.InfiniteTimeSpan);
                if (Log.IsEmptied)
                    _expiry.Dispose();
                _completed.SetResult();
                _tree.Release();
            }

            await Task.WhenAll(_pumps.Select(pump => pump.DrainAsync()));
            _pumps = [];
        }
    }

    /// <summary>Kills the whole tree.</summary>
    /// <exception cref="IOException">The kernel refuses.</exception>
    public void Kill() => Kill(KilledFor.Request);

    /// <summary>The same for whoever has nobody to tell that it failed: it is tried again until it succeeds.</summary>
    public void TryKill() => TryKill(KilledFor.Request);

    /// <summary>The same for who leaves: from the end on, what the command has left behind may live.</summary>
    public void TryKillUnlessEnded()
    {
        if (!HasEnded)
            TryKill();
    }

    /// <summary>Forgets what was started, so that what is remembered of it is small.</summary>
    public void ForgetCommand() => (Command, Argv) = (null, null);

    /// <summary>Forgets its output, and ends everybody who reads it. What it still prints is drained.</summary>
    public void Forget()
    {
        Log.Delete();
        _expiry?.Dispose();
    }

    /// <summary>Sends a signal to the command's process group; SIGKILL to all that it has started, so that nothing gets away.</summary>
    /// <returns>Whether it was still there.</returns>
    /// <exception cref="IOException">What it has started cannot be found.</exception>
    public bool Signal(int signal)
    {
        if (signal != Native.SIGKILL)
            return _tree.Signal(signal);
        if (_tree.Exited.IsCompleted)
            return false;
        Kill();
        return true;
    }

    /// <summary>Changes the size of its terminal.</summary>
    /// <exception cref="RequestException">With <c>not_a_terminal</c> or <c>execution_exited</c>.</exception>
    public void Resize(TerminalSize size)
    {
        if (!IsTerminal)
            throw new RequestException(StatusCodes.Status409Conflict, ErrorCodes.NotATerminal, "The execution has no terminal.");
        try
        {
            _channels.Resize(size.Cols, size.Rows);
        }
        catch (ObjectDisposedException)
        {
            throw HasExited();
        }
    }

    /// <summary>What is said to whoever would change one that has ended.</summary>
    public static RequestException HasExited() =>
        new(StatusCodes.Status409Conflict, ErrorCodes.ExecutionExited, "The execution has ended.");

    private async Task PumpAsync()
    {
        using var graceOver = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _host.Time);
        var pumps = Task.WhenAll(_pumps.Select(pump => PumpAsync(pump, graceOver.Token)));
        if (await Task.WhenAny(pumps, _tree.Exited) != pumps)
        {
            Log.Unhold();
            graceOver.CancelAfter(OutputGrace);
        }

        await pumps;
    }

    /// <summary>A command whose output cannot be read ends: nobody would ever know what it did.</summary>
    private async Task PumpAsync(OutputPump pump, CancellationToken graceOver)
    {
        try
        {
            await pump.RunAsync(graceOver);
        }
        catch
        {
            TryKill();
            throw;
        }
    }

    private async Task<ExecutionEnd> EndAsync()
    {
        const int killedExitCode = WaitStatus.SignalBase + Native.SIGKILL;
        var end = await _tree.Exited;
        var isTimedOut = _killedFor == KilledFor.Time;
        var reason = isTimedOut ? ExitReason.TimedOut
            : end.Status.ExitCode == killedExitCode && _killedFor == KilledFor.Nothing && MemoryRanOut() ? ExitReason.OomKilled
            : end.Status.IsSignal ? ExitReason.Killed
            : ExitReason.Exited;
        return new ExecutionEnd(
            _host.Time.GetUtcNow(),
            isTimedOut ? killedExitCode : end.Status.ExitCode,
            isTimedOut ? Signals.NameOf(Native.SIGKILL) : end.Status.IsSignal ? Signals.NameOf(end.Status.Signal) : null,
            reason,
            end.CpuMilliseconds,
            end.PeakMemoryBytes);
    }

    /// <summary>Whether the kernel has killed for want of memory since the start; that it did not, if nobody knows.</summary>
    private bool MemoryRanOut()
    {
        try
        {
            return _host.Oom.Read() > _oomKillsBefore;
        }
        catch (IOException error)
        {
            LogOomUnknown(error, Pid);
            return false;
        }
    }

    /// <summary>Kills the whole tree unless the command has ended; it then counts as timed out.</summary>
    private void TimeOut()
    {
        if (IsRunning)
            TryKill(KilledFor.Time);
    }

    /// <summary>Of several that kill it the first is what it ended for.</summary>
    private void Kill(KilledFor what)
    {
        var isFirst = IsRunning && _killedFor == KilledFor.Nothing;
        if (isFirst)
            _killedFor = what;
        try
        {
            _tree.Kill();
        }
        catch when (isFirst)
        {
            _killedFor = KilledFor.Nothing;
            throw;
        }
    }

    private void TryKill(KilledFor what)
    {
        try
        {
            Kill(what);
        }
        catch (IOException error)
        {
            LogKillFailed(error, Pid);
            // Ends when a kill succeeds, at the latest with the sandbox, and has nothing else to tell.
            _ = KillAgainAsync(what);
        }
    }

    private async Task KillAgainAsync(KilledFor what)
    {
        await Task.Delay(KillRetryInterval, _host.Time, CancellationToken.None);
        TryKill(what);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The tree of process {Pid} could not be killed.")]
    private partial void LogKillFailed(Exception error, int pid);

    [LoggerMessage(Level = LogLevel.Error, Message = "Whether memory ran out for process {Pid} cannot be read.")]
    private partial void LogOomUnknown(Exception error, int pid);

    private enum KilledFor
    {
        Nothing,
        Request,
        Time,
    }

    private sealed record ExecutionEnd(
        DateTimeOffset At, int ExitCode, string? Signal, ExitReason Reason, long? CpuMilliseconds, long? PeakMemoryBytes);
}
