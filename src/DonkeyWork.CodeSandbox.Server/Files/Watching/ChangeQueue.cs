using System.Buffers;
using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Files.Watching;

/// <summary>Changes as events, from when they happen until they are sent; bounded: what does not fit becomes one <c>overflow</c>.</summary>
internal sealed class ChangeQueue(TimeProvider timeProvider)
{
    private const int MaxBytes = 256 * 1024;

    private readonly Lock _gate = new();
    private ArrayBufferWriter<byte> _pending = new();
    private FileChange? _last;
    private bool _isFull;
    private bool _isComplete;
    private TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Add(FileChangeType type, byte[] path, byte[]? from = null)
    {
        lock (_gate)
        {
            if (_isFull || _isComplete)
                return;
            if (_pending.WrittenCount + path.Length + (from?.Length ?? 0) > MaxBytes)
            {
                Overflow();
                return;
            }

            var change = new FileChange { Type = type, Path = Encoding.UTF8.GetString(path), From = from is null ? null : Encoding.UTF8.GetString(from) };
            // A program that writes in small pieces changes its file a thousand times a second.
            if (change != _last || type != FileChangeType.Modified)
                Append(change);
        }
    }

    /// <summary>Changes were lost.</summary>
    public void Overflow()
    {
        lock (_gate)
        {
            if (_isFull || _isComplete)
                return;
            Append(new FileChange { Type = FileChangeType.Overflow, Path = Watched });
            // All that comes until this is sent is in it.
            _isFull = true;
        }
    }

    /// <summary>What is watched.</summary>
    public required string Watched { get; init; }

    /// <summary>Nothing follows.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _isComplete = true;
            _ready.TrySetResult();
        }
    }

    /// <summary>What there is to be sent, waiting for it; empty when nothing came for so long, <see langword="null"/> at the end.</summary>
    public async Task<ReadOnlyMemory<byte>?> TakeAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            await _ready.Task.WaitAsync(patience, timeProvider, cancellationToken);
        }
        catch (TimeoutException)
        {
            return ReadOnlyMemory<byte>.Empty;
        }

        lock (_gate)
        {
            var taken = _pending.WrittenMemory;
            if (taken.IsEmpty && _isComplete)
                return null;
            _pending = new();
            _last = null;
            _isFull = false;
            if (!_isComplete)
                _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return taken;
        }
    }

    private void Append(FileChange change)
    {
        _last = change;
        _pending.Write("data: "u8);
        using (var json = new Utf8JsonWriter(_pending))
            JsonSerializer.Serialize(json, change, ContractsJsonContext.Default.FileChange);
        _pending.Write("\n\n"u8);
        _ready.TrySetResult();
    }
}
