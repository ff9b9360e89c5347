using System.Runtime.InteropServices;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;

namespace DonkeyWork.CodeSandbox.Server.Tests.Logs;

/// <summary>Everything that a log was ever given, and what its readers may therefore say.</summary>
internal sealed class LogModel
{
    private readonly List<byte> _bytes = [];

    /// <summary>Of each position: how many bytes before it were standard error's.</summary>
    private readonly List<int> _errors = [0, 0];

    /// <summary>The position behind the newest byte.</summary>
    public long Head => _bytes.Count + 1;

    public void Add(OutputChannel channel, ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        for (var i = 0; i < bytes.Length; i++)
            _errors.Add(_errors[^1] + (channel == OutputChannel.Stderr ? 1 : 0));
    }

    public long CountErrors(long from, long to) => _errors[(int)to] - _errors[(int)from];

    /// <summary>Checks an item of a reader that is at <paramref name="position"/>, and returns where it is then.</summary>
    public long Check(LogItem item, long position, bool isSplitExact, ref long lostErrors)
    {
        item.Position.ShouldBe(position + item.Count);
        if (item.Kind == LogItemKind.Output)
        {
            var bytes = item.Bytes.Span;
            bytes.Length.ShouldBe((int)item.Count);
            bytes.Length.ShouldBeInRange(1, 64 * 1024);
            if (!bytes.SequenceEqual(CollectionsMarshal.AsSpan(_bytes).Slice((int)position - 1, bytes.Length))
                || CountErrors(position, item.Position) != (item.Channel == OutputChannel.Stderr ? item.Count : 0))
            {
                throw new InvalidOperationException($"The {item.Count} bytes of {item.Channel} behind {position} were never printed there.");
            }
        }
        else
        {
            item.Kind.ShouldBe(LogItemKind.Truncated);
            item.Count.ShouldBePositive();
            // Both halves come one after the other: standard error's last.
            if (isSplitExact && item.Channel == OutputChannel.Stderr)
                lostErrors += item.Count;
        }

        return item.Position;
    }
}

/// <summary>A disk that takes so many bytes and no more.</summary>
internal sealed class SmallDisk(long capacity) : ILogStorage
{
    private byte[] _bytes = [];

    public bool IsBroken { get; set; }

    public bool TryWrite(ReadOnlySpan<byte> bytes, long offset)
    {
        if (IsBroken || offset + bytes.Length > capacity)
            return false;
        if (offset + bytes.Length > _bytes.Length)
            Array.Resize(ref _bytes, (int)Math.Max(2 * _bytes.Length, offset + bytes.Length));
        bytes.CopyTo(_bytes.AsSpan((int)offset));
        return true;
    }

    public void Read(Span<byte> bytes, long offset) => _bytes.AsSpan((int)offset, bytes.Length).CopyTo(bytes);

    public void Dispose()
    {
    }
}
