using System.Net;

namespace DonkeyWork.CodeSandbox.Client.Files;

/// <summary>What is sent as a body.</summary>
/// <param name="MediaType">Its type.</param>
/// <param name="Length">Its length, where that is known.</param>
/// <param name="WriteAsync">Writes it.</param>
/// <param name="CanRestart">Whether it can be written again from its beginning.</param>
internal sealed record Upload(string MediaType, long? Length, Func<Stream, CancellationToken, Task> WriteAsync, bool CanRestart = true)
{
    /// <summary>Whether any of it was written.</summary>
    public bool IsBegun { get; set; }

    /// <summary>Whether it can be sent, again or for the first time.</summary>
    public bool CanSend => CanRestart || !IsBegun;

    /// <summary>What writing it threw that was not the connection's doing.</summary>
    public Exception? Failure { get; set; }

    public HttpContent ToContent() => new UploadContent(this) { Headers = { ContentType = new(MediaType) } };
}

/// <summary>A body that is written by a function, whose own failures are told apart from the connection's.</summary>
internal sealed class UploadContent(Upload upload) : HttpContent
{
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (!upload.CanSend)
            throw new InterruptedException(ClientErrorCodes.ResponseCut, "A stream that cannot seek was sent in part, and cannot be sent again.");
        upload.IsBegun = true;
        var body = new BodyStream(stream);
        try
        {
            await upload.WriteAsync(body, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!body.HasFailed && e is not OperationCanceledException)
        {
            upload.Failure = e;
            throw;
        }
    }

    protected override bool TryComputeLength(out long computed)
    {
        computed = upload.Length ?? 0;
        return upload.Length is not null;
    }

    private sealed class BodyStream(Stream inner) : AsyncStream
    {
        public bool HasFailed { get; private set; }

        public override bool CanWrite => true;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                await inner.WriteAsync(buffer, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                HasFailed = true;
                throw;
            }
        }
    }
}
