using System.Buffers;

namespace DonkeyWork.CodeSandbox.Server.Files.Archives;

/// <summary>
/// Reads a tar archive that nobody vouches for: ustar, pax and GNU's long names. Each header is bounded and names stay the
/// bytes that they are, which is why the framework's reader is not used: it takes memory for as large a header as the
/// archive claims to have, and makes strings of names.
/// </summary>
internal sealed class ArchiveReader(Stream body)
{
    /// <summary>The most that pax records, or a long name, of one entry may take.</summary>
    private const int MaxHeaderBytes = 256 * 1024;

    private readonly byte[] _buffer = new byte[FileReader.BufferBytes];
    private readonly byte[] _block = new byte[ArchiveFormat.BlockBytes];
    private readonly ArrayBufferWriter<byte> _longName = new();
    private readonly ArrayBufferWriter<byte> _header = new();
    private readonly ArchiveExtension _extension = new();
    private int _position;
    private int _length;
    private long _left;
    private int _padding;

    /// <summary>The next entry; <see langword="null"/> at the archive's end. What was not read of the last one is passed over.</summary>
    /// <exception cref="BadArchiveException">It is broken or cut.</exception>
    public async ValueTask<ArchiveEntry?> NextAsync(CancellationToken cancellationToken)
    {
        _extension.Clear();
        while (true)
        {
            await SkipAsync(cancellationToken);
            await ReadBlockAsync(cancellationToken);
            if (!_block.AsSpan().ContainsAnyExcept((byte)0))
            {
                if (!_extension.IsEmpty)
                    throw new BadArchiveException("The archive ends behind a header that belongs to an entry.");
                await SkipToEndAsync(cancellationToken);
                return null;
            }

            var header = ArchiveBlock.Parse(_block, _longName);
            (_left, _padding) = (header.Size, ArchiveFormat.Padding(header.Size));
            switch (header.Type)
            {
                case ArchiveEntryType.Extended:
                    await ReadHeaderAsync(cancellationToken);
                    _extension.AddRecords(_header.WrittenSpan);
                    break;
                case ArchiveEntryType.GnuLongName:
                    await ReadHeaderAsync(cancellationToken);
                    _extension.SetName(ArchiveBlock.Text(_header.WrittenMemory).Span);
                    break;
                case ArchiveEntryType.GnuLongTarget:
                    await ReadHeaderAsync(cancellationToken);
                    _extension.SetTarget(ArchiveBlock.Text(_header.WrittenMemory).Span);
                    break;
                case ArchiveEntryType.GlobalExtended:
                    // A comment, as a rule: nothing that applies to all files is taken over.
                    break;
                default:
                    var entry = _extension.Apply(header);
                    (_left, _padding) = (entry.Size, ArchiveFormat.Padding(entry.Size));
                    return entry;
            }
        }
    }

    /// <summary>The next bytes of the entry's content, valid until the next call; empty at its end.</summary>
    /// <exception cref="BadArchiveException">It is cut.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken)
    {
        if (_left == 0)
            return default;
        if (_position == _length && !await FillAsync(cancellationToken))
            throw Cut();
        var count = (int)Math.Min(_left, _length - _position);
        var bytes = _buffer.AsMemory(_position, count);
        _position += count;
        _left -= count;
        return bytes;
    }

    private async ValueTask ReadHeaderAsync(CancellationToken cancellationToken)
    {
        if (_left > MaxHeaderBytes)
            throw new BadArchiveException($"A header has {_left} bytes; {MaxHeaderBytes} are taken.");
        _header.ResetWrittenCount();
        while (_left > 0)
            _header.Write((await ReadAsync(cancellationToken)).Span);
    }

    private async ValueTask SkipAsync(CancellationToken cancellationToken)
    {
        while (_left > 0)
            await ReadAsync(cancellationToken);
        _left = _padding;
        _padding = 0;
        while (_left > 0)
            await ReadAsync(cancellationToken);
    }

    private async ValueTask SkipToEndAsync(CancellationToken cancellationToken)
    {
        do
            _position = _length;
        while (await FillAsync(cancellationToken));
    }

    private async ValueTask ReadBlockAsync(CancellationToken cancellationToken)
    {
        _buffer.AsSpan(_position, _length - _position).CopyTo(_buffer);
        (_position, _length) = (0, _length - _position);
        while (_length < ArchiveFormat.BlockBytes)
        {
            if (!await FillAsync(cancellationToken))
                throw Cut();
        }

        _position = ArchiveFormat.BlockBytes;
        _buffer.AsSpan(0, ArchiveFormat.BlockBytes).CopyTo(_block);
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_position == _length)
            _position = _length = 0;
        var count = await body.ReadAsync(_buffer.AsMemory(_length), cancellationToken);
        _length += count;
        return count > 0;
    }

    private static BadArchiveException Cut() => new("The archive is cut: its end is missing.");
}
