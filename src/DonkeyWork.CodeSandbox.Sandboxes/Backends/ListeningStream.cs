namespace DonkeyWork.CodeSandbox.Sandboxes.Backends;

/// <summary>
/// A connection whose other side has to be heard of while it is listened to, if only by a ping or the answer to one. Time
/// in which nobody reads does not count.
/// </summary>
/// <param name="connection">The connection.</param>
/// <param name="silence">How long a read may take.</param>
/// <param name="clock">Measures it.</param>
public sealed class ListeningStream(Stream connection, TimeSpan silence, TimeProvider clock) : ThroughStream(connection)
{
    /// <inheritdoc/>
    /// <exception cref="IOException">The connection broke, or nothing came.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var late = new CancellationTokenSource(silence, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            return await Inner.ReadAsync(buffer, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException($"Nothing was heard for {silence.TotalSeconds} s.");
        }
    }
}
