using System.Security.Cryptography;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>Bytes of an output that came one behind the other.</summary>
/// <param name="From">How many were printed before them.</param>
/// <param name="Bytes">How many they are.</param>
/// <param name="Hash">Their SHA-256, as <c>sha256sum</c> prints it.</param>
public sealed record HashedSegment(long From, long Bytes, string Hash);

/// <summary>Reads the frames of an execution that prints to standard output alone, and keeps no more of them than their hash.</summary>
public sealed class HashedReader
{
    private readonly List<HashedSegment> _segments = [];

    /// <summary>What came, between what was truncated.</summary>
    public IReadOnlyList<HashedSegment> Segments => _segments;

    /// <summary>How many bytes it was told that it cannot have.</summary>
    public long Truncated { get; private set; }

    /// <summary>The last event.</summary>
    public JsonElement Exited { get; private set; }

    /// <summary>To the end. Positions are checked on the way: each is what came and what did not, and <c>started</c>.</summary>
    /// <param name="execution">Of what.</param>
    /// <param name="atLeast">After how many bytes it stops reading.</param>
    /// <param name="stop">For how long.</param>
    public async Task ReadAsync(RawExecution execution, long atLeast = long.MaxValue, Func<Task>? stop = null)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long from = 0, bytes = 0;
        await foreach (var item in execution.ReadAsync(stop: patience.Token))
        {
            hash.AppendData(item.Bytes);
            bytes += item.Bytes.Length;
            if (item.TruncatedBytes > 0 || item.Name == ExecutionEventNames.Exited)
            {
                if (bytes > 0) _segments.Add(new HashedSegment(from, bytes, Convert.ToHexStringLower(hash.GetHashAndReset())));
                (from, bytes) = (from + bytes + item.TruncatedBytes, 0);
                Truncated += item.TruncatedBytes;
                if (item.Name == ExecutionEventNames.Exited) Exited = item.Json;
            }

            item.Position.ShouldBe(1 + from + bytes + (item.Name == ExecutionEventNames.Exited ? 1 : 0), item.Name);
            if (bytes < atLeast || stop is null) continue;
            await stop();
            stop = null;
        }
    }
}
