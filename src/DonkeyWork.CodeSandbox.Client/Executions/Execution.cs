using System.Runtime.CompilerServices;
using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Client.Executions;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>
/// A process in a sandbox that needs nobody: it runs on when its caller, the connection or a Manager goes, and its output is kept,
/// until 10 minutes after its end. Every member connects again by itself, to the next Manager where one fails, and goes on exactly
/// where it was, for as long as <see cref="ConnectionOptions.ReconnectTimeout"/> allows. Disposing it closes what reads through
/// it and leaves the process alone: <see cref="KillAsync"/> or <see cref="DeleteAsync"/> end that. All members may be used at once
/// from several threads; one stream by one reader at a time.
/// </summary>
/// <remarks>Each of them may throw: <see cref="SandboxLostException"/> when the sandbox is gone, <see cref="ExecutionNotFoundException"/>
/// and <see cref="ExecutionDeletedException"/>, or another <see cref="CodeSandboxException"/> by its code.</remarks>
public sealed class Execution : IAsyncDisposable
{
    private readonly ExecutionRoute _route;
    private readonly bool _mayBeHeld;
    private readonly Readership _readership = new();
    private readonly Lazy<ChannelStream> _standardOutput;
    private readonly Lazy<ChannelStream> _standardError;
    private readonly Lazy<StandardInputStream> _standardInput;
    private ExecutionState? _exited;
    private int _pid;
    private long _furthest;

    internal Execution(ExecutionRoute route, ExecutionState? state, bool mayBeHeld, bool mayHaveTerminal)
    {
        _route = route;
        _mayBeHeld = mayBeHeld;
        if (state is not null)
            Saw(state);
        _standardOutput = new(() => new ChannelStream(this, OutputChannel.Stdout, OutputChannel.Pty));
        _standardError = new(() => new ChannelStream(this, OutputChannel.Stderr));
        _standardInput = new(() => new StandardInputStream(route, mayHaveTerminal));
    }

    /// <summary>Its id, unique in the sandbox for the sandbox's whole life.</summary>
    public string Id => _route.Id;

    /// <summary>The process id inside the sandbox; <see langword="null"/> of one that was got by its id, until something was heard of it.</summary>
    public int? Pid => Volatile.Read(ref _pid) is var pid and not 0 ? pid : null;

    /// <summary>
    /// What it prints to standard output (or to its terminal), from the first byte on, read over a connection of its own: what reads
    /// one stream never waits for the other. Bytes that are no longer kept throw <see cref="OutputTruncatedException"/> once, and
    /// reading goes on behind them. Ends when the process has.
    /// </summary>
    public Stream StandardOutput => _standardOutput.Value;

    /// <summary>
    /// What it prints to standard error, as <see cref="StandardOutput"/>. Read both at once, or <see cref="ReadEventsAsync"/>: what is kept
    /// is kept for the reader that is furthest.
    /// </summary>
    public Stream StandardError => _standardError.Value;

    /// <summary>
    /// What it reads, where <see cref="StartOptions.OpenStandardInput"/> or a terminal was asked for. Every byte arrives exactly
    /// once, whatever breaks between. Disposing it, or <see cref="StandardInputStream.CompleteAsync"/>, is end-of-file; disposing the
    /// execution is not.
    /// </summary>
    public StandardInputStream StandardInput => _standardInput.Value;

    /// <summary>
    /// Everything it says, from the beginning or from behind a position, until it has ended. Each enumeration reads for itself. A
    /// loop that is slow holds a process of <see cref="OverflowPolicy.Wait"/>; leaving the loop ends nothing but the reading.
    /// </summary>
    /// <param name="after">The <see cref="ProcessEvent.Position"/> of the last event that is not wanted again; 0 for all of them.</param>
    /// <param name="cancellationToken">Ends the reading, not the process.</param>
    /// <exception cref="SandboxLostException">The sandbox is gone, and the process with it.</exception>
    /// <exception cref="ExecutionNotFoundException">It was never started here.</exception>
    /// <exception cref="ExecutionDeletedException">It was deleted.</exception>
    /// <exception cref="InterruptedException">No connection within <see cref="ConnectionOptions.ReconnectTimeout"/>; the process runs on.</exception>
    /// <exception cref="InvalidRequestException">The position is beyond its log.</exception>
    /// <exception cref="CodeSandboxException">Anything else, by its code.</exception>
    public async IAsyncEnumerable<ProcessEvent> ReadEventsAsync(
        long after = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        cancellationToken.ThrowIfCancellationRequested();
        using var membership = Join();
        var reader = new LogReader(_route, after);
        await using (reader.ConfigureAwait(false))
        {
            var texts = new OutputText[(int)OutputChannel.Pty + 1];
            LogFrame next;
            do
            {
                next = await NextAsync(reader, cancellationToken).ConfigureAwait(false);
                yield return next.Event ?? Output(next);
            }
            while (next.Event is not ProcessExited);
            await reader.EndAsync().ConfigureAwait(false);

            ProcessOutput Output(LogFrame frame) => new()
            {
                Position = frame.Position,
                Channel = frame.Channel,
                Data = frame.Output.ToArray(),
                Text = (texts[(int)frame.Channel] ??= new OutputText()).Next(frame.Output.Span),
            };
        }
    }

    /// <summary>
    /// Waits for the end. Output that nobody reads through this object meanwhile is let go of, so that a process of
    /// <see cref="OverflowPolicy.Wait"/> is not held for ever; while somebody reads it, that reader sets the pace.
    /// </summary>
    /// <param name="cancellationToken">Ends the waiting, not the process.</param>
    /// <returns>How it ended. Any exit code is a result, not an exception.</returns>
    /// <inheritdoc cref="ReadEventsAsync" path="/exception[not(contains(@cref, 'InvalidRequest'))]"/>
    public async Task<ExecutionState> WaitAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (Volatile.Read(ref _exited) is { } exited)
                return exited;
            // One that is never held needs nobody's attention.
            var (nobodyReads, changed) = _mayBeHeld ? _readership.Look() : (false, CancellationToken.None);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, changed);
            var reader = new LogReader(_route, Interlocked.Read(ref _furthest), output: nobodyReads);
            await using (reader.ConfigureAwait(false))
            {
                try
                {
                    while ((await NextAsync(reader, either.Token).ConfigureAwait(false)).Event is not ProcessExited)
                    {
                    }

                    await reader.EndAsync().ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (changed.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
                {
                    // Somebody began to read, or nobody does any more.
                }
                catch (OperationCanceledException e) when (cancellationToken.IsCancellationRequested)
                {
                    throw new OperationCanceledException(e.Message, e, cancellationToken);
                }
            }
        }
    }

    /// <summary>Its state now.</summary>
    /// <inheritdoc cref="WaitAsync" path="/exception"/>
    public async Task<ExecutionState> GetStateAsync(CancellationToken cancellationToken = default)
    {
        var state = await _route.Sandbox.AskAsync<ExecutionState>(_route.Get(), cancellationToken).ConfigureAwait(false);
        Saw(state);
        return state;
    }

    /// <summary>
    /// Kills the process and everything that it has started, wherever that went (SIGKILL). Its output stays. Does nothing where it has ended.
    /// </summary>
    /// <inheritdoc cref="WaitAsync" path="/exception"/>
    public async Task KillAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await _route.Sandbox.TellAsync(Signal("SIGKILL"), cancellationToken).ConfigureAwait(false);
        }
        catch (ExecutionExitedException)
        {
            // As was wanted; or the answer to the first attempt was lost.
        }
    }

    /// <summary>Sends a signal to its process group. It is sent once: where the answer is lost, whether it arrived is unknown.</summary>
    /// <param name="signal">Its name, such as <c>SIGINT</c> or <c>SIGTERM</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ExecutionExitedException">It has ended.</exception>
    /// <inheritdoc cref="ReadEventsAsync" path="/exception"/>
    public Task SignalAsync(string signal, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(signal);
        return _route.Sandbox.TellOnceAsync(Signal(signal), cancellationToken);
    }

    /// <summary>Changes the size of its terminal.</summary>
    /// <param name="columns">1 to 65,535 characters.</param>
    /// <param name="rows">1 to 65,535 characters.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ExecutionExitedException">It has ended.</exception>
    /// <exception cref="CodeSandboxException"><see cref="ErrorCodes.NotATerminal"/>: it has none; or anything else, by its code.</exception>
    public Task ResizeAsync(int columns, int rows, CancellationToken cancellationToken = default) =>
        _route.Sandbox.TellAsync(_route.Post("resize", new TerminalSize { Cols = columns, Rows = rows }), cancellationToken);

    /// <summary>Kills everything it started and forgets its output. Its id never starts again.</summary>
    /// <exception cref="ExecutionDeletedException">It was deleted before.</exception>
    /// <inheritdoc cref="WaitAsync" path="/exception[contains(@cref, 'Lost') or contains(@cref, 'NotFound')]"/>
    public Task DeleteAsync(CancellationToken cancellationToken = default) =>
        _route.Sandbox.DeleteAsync<ExecutionDeletedException>(_route.Delete(), cancellationToken);

    /// <summary>Closes <see cref="StandardOutput"/> and <see cref="StandardError"/>. The process runs on, and its input stays open.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_standardOutput.IsValueCreated)
            await _standardOutput.Value.DisposeAsync().ConfigureAwait(false);
        if (_standardError.IsValueCreated)
            await _standardError.Value.DisposeAsync().ConfigureAwait(false);
    }

    internal LogReader OpenLog() => new(_route, after: 0);

    internal IDisposable Join() => _readership.Join();

    internal async ValueTask<LogFrame> NextAsync(LogReader reader, CancellationToken cancellationToken)
    {
        var next = await reader.NextAsync(cancellationToken).ConfigureAwait(false);
        if (next.Event is ProcessStarted started)
            Volatile.Write(ref _pid, started.Pid);
        if (next.Event is ProcessExited exited)
            Saw(exited.State);
        var furthest = Interlocked.Read(ref _furthest);
        while (furthest < next.Position && Interlocked.CompareExchange(ref _furthest, next.Position, furthest) is var other && other != furthest)
            furthest = other;
        return next;
    }

    private void Saw(ExecutionState state)
    {
        Volatile.Write(ref _pid, state.Pid);
        if (state.Status == ExecutionStatus.Exited)
            Volatile.Write(ref _exited, state);
    }

    private Call Signal(string signal) => _route.Post("signal", new SignalRequest { Signal = signal });
}
