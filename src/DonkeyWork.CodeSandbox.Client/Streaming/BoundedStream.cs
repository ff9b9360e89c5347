namespace DonkeyWork.CodeSandbox.Client.Streaming;

/// <summary>Another stream's bytes, up to a number of them.</summary>
/// <param name="inner">The other; not disposed.</param>
/// <param name="tooMany">Made and thrown where there are more.</param>
internal sealed class BoundedStream(Stream inner, Func<CodeSandboxException> tooMany) : AsyncStream
{
    /// <summary>How many may still come.</summary>
    public required long Left { get; set; }

    public override bool CanRead => true;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        Left -= count;
        return Left >= 0 ? count : throw tooMany();
    }
}
