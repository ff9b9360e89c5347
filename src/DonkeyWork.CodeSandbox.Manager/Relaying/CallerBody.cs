namespace DonkeyWork.CodeSandbox.Manager.Relaying;

/// <summary>
/// A caller's body. After a read that was cancelled Kestrel takes no other, so none of its reads ever is: who gives one up leaves it
/// to <see cref="ReadAwayAsync"/>.
/// </summary>
internal sealed class CallerBody(Stream body) : RequestBody
{
    private const int ReadAwayBytes = 64 * 1024;
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(10);

    private Task<int>? _pending;

    /// <summary>Reads. Where it is cancelled, <paramref name="buffer"/> may still be written to, and this must not be read again.</summary>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var reading = body.ReadAsync(buffer, CancellationToken.None);
        if (reading.IsCompleted) return await reading;
        _pending = reading.AsTask();
        var count = await _pending.WaitAsync(cancellationToken);
        _pending = null;
        return count;
    }

    /// <summary>Reads what is left, until there is nothing more, or nothing comes for 10 s.</summary>
    /// <exception cref="IOException">The caller has gone.</exception>
    /// <exception cref="OperationCanceledException">Or is silent.</exception>
    public async Task ReadAwayAsync(CancellationToken cancellationToken)
    {
        using var idle = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        idle.CancelAfter(LongestSilence);
        if (_pending is { } pending && await pending.WaitAsync(idle.Token) == 0) return;
        var nothing = new byte[ReadAwayBytes];
        do idle.CancelAfter(LongestSilence);
        while (await ReadAsync(nothing, idle.Token) > 0);
    }
}
