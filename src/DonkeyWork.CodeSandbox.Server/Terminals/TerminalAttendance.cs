using DonkeyWork.CodeSandbox.Server.Executions;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;
using DonkeyWork.CodeSandbox.Server.Http;
using DonkeyWork.CodeSandbox.Server.Posix;

namespace DonkeyWork.CodeSandbox.Server.Terminals;

/// <summary>Knows who is at which terminal, and hangs up one that nobody came back to.</summary>
/// <param name="timeProvider">The clock.</param>
internal sealed class TerminalAttendance(TimeProvider timeProvider)
{
    /// <summary>How long a terminal with a name waits for somebody to come back.</summary>
    public static readonly TimeSpan Absence = TimeSpan.FromSeconds(60);

    /// <summary>How long programs may take over SIGHUP before they are killed.</summary>
    private static readonly TimeSpan HangUpGrace = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<Execution, Attended> _terminals = [];

    /// <summary>Somebody is there.</summary>
    public void Enter(Execution execution)
    {
        lock (_gate)
        {
            var attended = _terminals.GetValueOrDefault(execution);
            attended?.Return?.Cancel();
            _terminals[execution] = new Attended((attended?.Count ?? 0) + 1, null);
        }
    }

    /// <summary>Somebody is gone without hanging up. Whoever does not come back within <see cref="Absence"/> has.</summary>
    public void Leave(Execution execution)
    {
        CancellationTokenSource returned;
        lock (_gate)
        {
            var attended = _terminals[execution];
            if (attended.Count > 1)
            {
                _terminals[execution] = attended with { Count = attended.Count - 1 };
                return;
            }

            if (execution.Completed.IsCompleted)
            {
                _terminals.Remove(execution);
                return;
            }

            returned = new CancellationTokenSource();
            _terminals[execution] = new Attended(0, returned);
        }

        // Ends by itself, at the latest when it is killed with everything else, and says what went wrong.
        _ = AwaitReturnAsync(execution, returned);
    }

    /// <summary>Tells the session that its terminal is gone (SIGHUP), and shortly after kills all that came of it.</summary>
    public async Task HangUpAsync(Execution execution)
    {
        if (execution.Signal(Native.SIGHUP))
            await Task.WhenAny(execution.Completed, Task.Delay(HangUpGrace, timeProvider, CancellationToken.None));
        execution.TryKill();
    }

    private async Task AwaitReturnAsync(Execution execution, CancellationTokenSource returned)
    {
        using (returned)
        {
            using var absence = new CancellationTokenSource(Absence, timeProvider);
            using var over = CancellationTokenSource.CreateLinkedTokenSource(returned.Token, absence.Token);
            try
            {
                await ReadForNobodyAsync(execution, over.Token);
            }
            catch (OperationCanceledException) when (returned.IsCancellationRequested)
            {
                // Somebody is back.
            }
            catch (RequestException)
            {
                // It was deleted.
            }
            catch (Exception error) when (error is OperationCanceledException or IOException)
            {
                // Nobody came, or what it prints cannot be read and would hold it for ever.
                await HangUpAsync(execution);
            }
            finally
            {
                Forget(execution, returned);
            }
        }
    }

    /// <summary>A terminal that nobody is at holds no program: to its log, everything is sent.</summary>
    private static async Task ReadForNobodyAsync(Execution execution, CancellationToken over)
    {
        using var reader = execution.Log.OpenTail(0);
        while (await reader.NextAsync(over) is { Kind: not LogItemKind.End } item)
            reader.Sent(item.Position);
    }

    private void Forget(Execution execution, CancellationTokenSource returned)
    {
        lock (_gate)
        {
            if (_terminals.TryGetValue(execution, out var attended) && attended.Return == returned)
                _terminals.Remove(execution);
        }
    }

    /// <param name="Count">How many are there.</param>
    /// <param name="Return">Cancelled when somebody comes, while nobody is.</param>
    private sealed record Attended(int Count, CancellationTokenSource? Return);
}
