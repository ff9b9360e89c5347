using System.Buffers;
using System.IO.Pipelines;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;

/// <summary>The lines of a watch's body, one event each, parsed where they lie.</summary>
internal sealed class WatchLines<T> : IAsyncDisposable where T : class, IApiObject
{
    // An object is 1.5 MiB at most by etcd's limit; one line holds one object.
    private const int Longest = 32 * 1024 * 1024;

    private readonly PipeReader _pipe;
    private readonly ReadObject<T> _readObject;

    /// <param name="body">Disposed with this.</param>
    /// <param name="readObject">Reads what an event is about.</param>
    public WatchLines(Stream body, ReadObject<T> readObject)
    {
        _pipe = PipeReader.Create(body, new StreamPipeReaderOptions(bufferSize: 64 * 1024, minimumReadSize: 8 * 1024));
        _readObject = readObject;
    }

    /// <summary>The next event; <see langword="null"/> when the server has ended the watch.</summary>
    public async ValueTask<WatchEvent<T>?> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await _pipe.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            if (buffer.PositionOf((byte)'\n') is { } end)
            {
                var happened = Parse(buffer.Slice(0, end));
                _pipe.AdvanceTo(buffer.GetPosition(1, end));
                return happened;
            }

            // What is behind the last line end has been cut, and comes again after the resource version before it.
            if (read.IsCompleted) return null;
            if (buffer.Length > Longest) throw new InvalidDataException($"A line of a watch is longer than {Longest} bytes.");
            _pipe.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    public ValueTask DisposeAsync() => _pipe.CompleteAsync();

    private WatchEvent<T> Parse(ReadOnlySequence<byte> line)
    {
        if (line.IsSingleSegment) return WatchEvent<T>.Read(line.FirstSpan, _readObject);
        var copy = ArrayPool<byte>.Shared.Rent((int)line.Length);
        try
        {
            line.CopyTo(copy);
            return WatchEvent<T>.Read(copy.AsSpan(0, (int)line.Length), _readObject);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }
}
