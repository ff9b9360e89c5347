using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;
using DonkeyWork.CodeSandbox.Server.Posix;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>Carries what a command prints on one channel into its log; at last for nobody.</summary>
/// <param name="source">A pipe or a terminal.</param>
/// <param name="channel">Which.</param>
/// <param name="log">Where to.</param>
/// <param name="onOutput">Called for each piece.</param>
internal sealed class OutputPump(DescriptorReader source, OutputChannel channel, OutputLog log, Action onOutput)
{
    private const int SmallBuffer = 4 * 1024;

    /// <summary>A pipe's capacity, pipe(7).</summary>
    private const int LargeBuffer = 64 * 1024;

    private static readonly byte[] Discarded = new byte[LargeBuffer];

    private byte[]? _large;
    private bool _ended;

    /// <summary>
    /// Carries what comes until the end, or, when <paramref name="graceOver"/>, what is there then. The command has ended
    /// before that: whatever it wrote was read or is in the pipe.
    /// </summary>
    public async Task RunAsync(CancellationToken graceOver)
    {
        try
        {
            var small = new byte[SmallBuffer];
            long? due = null;
            while (true)
            {
                var room = await log.RoomAsync(CancellationToken.None);
                if (graceOver.IsCancellationRequested && (due ??= source.Available) <= 0)
                    return;
                var buffer = _large is null ? small : _large.AsMemory(0, LargeBuffer);
                if (_large is null || !source.TryRead(buffer.Span[..Math.Min(buffer.Length, room)], out var count))
                {
                    // Who waits has no large buffer.
                    ReturnLarge();
                    buffer = small;
                    try
                    {
                        count = await source.ReadAsync(buffer[..Math.Min(buffer.Length, room)], graceOver);
                    }
                    catch (OperationCanceledException)
                    {
                        if (due is null)
                            continue;
                        return;
                    }
                }

                if (count == 0)
                {
                    _ended = true;
                    return;
                }

                due -= count;
                onOutput();
                await AppendAsync(buffer[..count]);
                if (count == SmallBuffer && _large is null)
                    _large = OutputBuffers.Rent();
            }
        }
        finally
        {
            ReturnLarge();
        }
    }

    /// <summary>
    /// Reads and forgets until the end, so that background children neither wait for a reader nor die for want of one.
    /// </summary>
    public async Task DrainAsync()
    {
        while (!_ended)
            _ended = await source.ReadAsync(Discarded, CancellationToken.None) == 0;
    }

    private async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (true)
        {
            bytes = bytes[log.Append(channel, bytes.Span)..];
            if (bytes.IsEmpty)
                return;
            await log.RoomAsync(CancellationToken.None);
        }
    }

    private void ReturnLarge()
    {
        if (_large is not null)
            OutputBuffers.Return(_large);
        _large = null;
    }
}
