using DonkeyWork.CodeSandbox.Sandboxes.Execution;

namespace DonkeyWork.CodeSandbox.Sandboxes.Backends;

/// <summary>A connection to an executor, as HTTP sees it; it lets <see cref="EarlyAnswer"/> have a look.</summary>
internal sealed class ExecutorStream(Stream connection) : ThroughStream(connection)
{
    private volatile EarlyAnswer? _request;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await Inner.ReadAsync(buffer, cancellationToken);
        _request?.Saw(buffer.Span[..count]);
        return count;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // It was asked to close the connection behind that one.
        if (_request is { } only && only != EarlyAnswer.Current) throw new IOException("The connection was another request's alone.");
        _request = EarlyAnswer.Current;
        return _request is { } request ? request.WriteAsync(Inner, buffer, cancellationToken) : Inner.WriteAsync(buffer, cancellationToken);
    }
}
