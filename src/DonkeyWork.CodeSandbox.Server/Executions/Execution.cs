using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Posix;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>A chunk of a command's output; the memory is the reader's until the task ends.</summary>
internal delegate ValueTask OutputHandler(OutputSource source, ReadOnlyMemory<byte> bytes);

/// <summary>A running command: its tree, its two pipes, and how it ended.</summary>
internal sealed class Execution
{
    /// <summary>How long output is still awaited when the command has ended and a background child holds its pipes.</summary>
    public static readonly TimeSpan OutputGrace = TimeSpan.FromMilliseconds(150);

    private readonly ProcessTree _tree;
    private readonly OutputReader _output;
    private readonly OutputReader _error;
    private readonly OomCounter _oom;
    private readonly long _oomKillsBefore;
    private volatile bool _timedOut;

    private Execution(ProcessTree tree, OutputReader output, OutputReader error, OomCounter oom, long oomKillsBefore)
    {
        _tree = tree;
        _output = output;
        _error = error;
        _oom = oom;
        _oomKillsBefore = oomKillsBefore;
    }

    /// <summary>The command's pid.</summary>
    public int Pid => _tree.Pid;

    /// <summary>Completes when the command itself has ended; its children may live on.</summary>
    public Task Exited => _tree.Exited;

    /// <summary>Starts a command. Its output waits in the pipes until <see cref="PumpAsync"/>.</summary>
    /// <exception cref="StartFailedException">It does not run.</exception>
    public static async Task<Execution> StartAsync(ProcessStart start, IProcessTreeFactory trees, OomCounter oom)
    {
        var oomKillsBefore = oom.Read();
        var channels = ProcessChannels.Pipes(input: false);
        try
        {
            var tree = await trees.StartAsync(start, channels);
            return new Execution(
                tree, new OutputReader(OutputSource.Stdout, channels.Output), new OutputReader(OutputSource.Stderr, channels.Error!), oom, oomKillsBefore);
        }
        catch
        {
            channels.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Gives <paramref name="onOutput"/> everything that the command writes, both streams as it comes. Ends with the pipes,
    /// or, where a background child holds them, shortly after the command. Never before all is given that the command wrote.
    /// When <paramref name="onOutput"/> fails, the tree is killed.
    /// </summary>
    public async Task PumpAsync(OutputHandler onOutput, TimeProvider timeProvider)
    {
        using var graceOver = new CancellationTokenSource(Timeout.InfiniteTimeSpan, timeProvider);
        var pumps = Task.WhenAll(_output.PumpAsync(HandleAsync, graceOver.Token), _error.PumpAsync(HandleAsync, graceOver.Token));
        if (await Task.WhenAny(pumps, _tree.Exited) != pumps)
            graceOver.CancelAfter(OutputGrace);

        await pumps;
        await _tree.Exited;

        async ValueTask HandleAsync(OutputSource source, ReadOnlyMemory<byte> bytes)
        {
            try
            {
                await onOutput(source, bytes);
            }
            catch
            {
                // The other stream's reader ends with the tree.
                _tree.Kill();
                throw;
            }
        }
    }

    /// <summary>Kills the whole tree.</summary>
    public void Kill() => _tree.Kill();

    /// <summary>Kills the whole tree unless the command has ended; it then counts as timed out.</summary>
    public void TimeOut()
    {
        if (_tree.Exited.IsCompleted)
            return;
        _timedOut = true;
        _tree.Kill();
    }

    /// <summary>How the command ended. After <see cref="Exited"/>.</summary>
    public async Task<(int ExitCode, bool TimedOut, CompletionReason? Reason)> GetResultAsync()
    {
        const int killedExitCode = WaitStatus.SignalBase + Native.SIGKILL;
        var status = (await _tree.Exited).Status;
        if (_timedOut)
            return (killedExitCode, true, CompletionReason.TimedOut);
        if (status.ExitCode == killedExitCode && _oom.Read() > _oomKillsBefore)
            return (status.ExitCode, false, CompletionReason.OomKilled);
        return (status.ExitCode, false, status.IsSignal ? CompletionReason.Killed : null);
    }

    /// <summary>
    /// Lets go of the tree, and drains the pipes until their last holder is gone, so that background children neither wait
    /// for a reader nor die for want of one.
    /// </summary>
    public async Task DrainAsync()
    {
        await _tree.Exited;
        _tree.Release();
        await Task.WhenAll(_output.DrainAsync(), _error.DrainAsync());
    }
}
