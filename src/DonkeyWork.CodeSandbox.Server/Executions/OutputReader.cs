using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Posix;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>Reads one pipe of a command: for its caller while that matters, then for nobody.</summary>
internal sealed class OutputReader(OutputSource source, DescriptorReader pipe)
{
    private const int SmallBuffer = 4 * 1024;

    /// <summary>A pipe's capacity, pipe(7).</summary>
    private const int LargeBuffer = 64 * 1024;

    private static readonly byte[] Discarded = new byte[LargeBuffer];

    private bool _ended;

    /// <summary>
    /// Hands on what comes until the end, or, when <paramref name="graceOver"/>, what is in the pipe then. The command has
    /// ended before that: whatever it wrote was read or is in the pipe.
    /// </summary>
    public async Task PumpAsync(OutputHandler onOutput, CancellationToken graceOver)
    {
        var buffer = new byte[SmallBuffer];
        long? due = null;
        while (true)
        {
            if (graceOver.IsCancellationRequested && (due ??= pipe.Available) <= 0)
                return;
            int count;
            try
            {
                count = await pipe.ReadAsync(buffer, due is null ? graceOver : CancellationToken.None);
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

            due -= count;
            await onOutput(source, buffer.AsMemory(0, count));
            if (count == buffer.Length && count < LargeBuffer)
                buffer = new byte[LargeBuffer];
        }
    }

    /// <summary>Reads and forgets until the end, then closes the pipe.</summary>
    public async Task DrainAsync()
    {
        using (pipe)
        {
            while (!_ended)
                _ended = await pipe.ReadAsync(Discarded, CancellationToken.None) == 0;
        }
    }
}
