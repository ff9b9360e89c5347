using System.Buffers;

namespace DonkeyWork.CodeSandbox.Server.Files.Archives;

/// <summary>A path in an archive, taken apart: relative, without <c>..</c>, and without what means nothing in it.</summary>
/// <param name="what">What it is of an entry.</param>
internal sealed class ArchivePath(string what)
{
    private const int MaxComponentBytes = 255;

    private readonly ArrayBufferWriter<byte> _path = new();
    private int _nameAt;

    /// <summary>Whether it is the directory itself that the archive goes into.</summary>
    public bool IsEmpty => _path.WrittenCount == 0;

    /// <summary>The directories on the way, with <c>/</c> between them.</summary>
    public ReadOnlySpan<byte> Parent => _path.WrittenSpan[..Math.Max(_nameAt - 1, 0)];

    /// <summary>The last component.</summary>
    public ReadOnlySpan<byte> Name => _path.WrittenSpan[_nameAt..];

    /// <exception cref="BadArchiveException">It may lead elsewhere, or cannot be.</exception>
    public void Set(ReadOnlySpan<byte> path)
    {
        if (path is [(byte)'/', ..])
            throw new BadArchiveException($"The {what} of an entry is absolute.");
        _path.ResetWrittenCount();
        _nameAt = 0;
        foreach (var range in path.Split((byte)'/'))
        {
            var step = path[range];
            if (step.SequenceEqual(".."u8))
                throw new BadArchiveException($"The {what} of an entry contains '..'.");
            if (step.Length > MaxComponentBytes)
                throw new BadArchiveException($"The {what} of an entry has a component above {MaxComponentBytes} bytes.");
            if (step.IsEmpty || step.SequenceEqual("."u8))
                continue;
            if (!IsEmpty)
                _path.Write("/"u8);
            _nameAt = _path.WrittenCount;
            _path.Write(step);
        }
    }
}
