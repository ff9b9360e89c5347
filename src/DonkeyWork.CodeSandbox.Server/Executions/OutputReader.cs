using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Posix;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>Reads one pipe of a command: for its caller while that matters, then for nobody.</summary>
internal sealed class OutputReader(OutputSource source, OutputPipe pipe)
{
    private const int SmallBuffer = 4 * 1024;

    /// <summary>A pipe's capacity, pipe(7).</summary>
    private const int LargeBuffer = 64 * 1024;

    private static readonly byte[] Discarded = new byte[LargeBuffer];

    private long _read;
    private long _due = long.MaxValue;
    private bool _ended;

    /// <summary>The command has ended: what is in the pipe now is still its caller's.</summary>
    public void MarkExit()
    {
        // In this order: a read in between makes it too much, never too little.
        var available = pipe.Available;
        Interlocked.Exchange(ref _due, available + Interlocked.Read(ref _read));
    }

    /// <summary>Hands on what comes until the end, or, when <paramref name="graceOver"/>, until all that is due has come.</summary>
    public async Task PumpAsync(OutputHandler onOutput, CancellationToken graceOver)
    {
        var buffer = new byte[SmallBuffer];
        while (!graceOver.IsCancellationRequested || (_read < Interlocked.Read(ref _due) && pipe.Available > 0))
        {
            int count;
            try
            {
                count = await pipe.ReadAsync(buffer, graceOver.IsCancellationRequested ? CancellationToken.None : graceOver);
            }
            catch (OperationCanceledException)
            {
                continue;
            }

            if (count == 0)
            {
                _ended = true;
                return;
            }

            Interlocked.Add(ref _read, count);
            await onOutput(source, buffer.AsMemory(0, count));
            if (count == buffer.Length && count < LargeBuffer)
                buffer = new byte[LargeBuffer];
        }
    }

    /// <summary>Reads and forgets until the end, then closes the pipe.</summary>
    public async Task DrainAsync()
    {
        await using (pipe)
        {
            while (!_ended)
                _ended = await pipe.ReadAsync(Discarded, CancellationToken.None) == 0;
        }
    }
}
