using System.Buffers;
using DonkeyWork.CodeSandbox.Contracts;
using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Files.Archives;

/// <summary>
/// Sends a directory as a tar archive: files, directories and links, without what is neither. What cannot be read breaks
/// it off, since an archive that lacks a file must not look complete; what is gone by then is left out.
/// </summary>
/// <param name="body">Where to.</param>
/// <param name="sent">Called for every piece.</param>
internal sealed class ArchiveSender(Stream body, Action sent)
{
    private const int EndBlocks = 2;

    private byte[] _buffer = [];
    private int _count;

    /// <param name="directory">Open for reading; it is closed.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task SendAsync(SafeFileHandle directory, CancellationToken cancellationToken)
    {
        _buffer = ArrayPool<byte>.Shared.Rent(FileReader.BufferBytes);
        try
        {
            using var walk = new TreeWalk(directory);
            for (var step = walk.Next(); step != WalkStep.End; step = walk.Next())
            {
                if (step == WalkStep.Entry)
                    await SendEntryAsync(walk, cancellationToken);
            }

            await AppendAsync(new byte[EndBlocks * ArchiveFormat.BlockBytes], cancellationToken);
            await FlushAsync(cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
    }

    private async ValueTask SendEntryAsync(TreeWalk walk, CancellationToken cancellationToken)
    {
        var error = FileSystem.TryGetStatus(walk.Directory, walk.Name, out var status);
        switch (error == 0 ? status.Type : FileEntryType.Other)
        {
            case FileEntryType.File:
                error = FileSystem.TryOpen(walk.Directory, walk.Name, O_RDONLY, out var file);
                using (file)
                {
                    if (error == 0)
                        await SendFileAsync(walk, file, cancellationToken);
                }

                break;
            case FileEntryType.Directory:
                await AppendAsync(ArchiveHeader.Make(ArchiveEntryType.Directory, [.. NameOf(walk), (byte)'/'], [], status), cancellationToken);
                error = walk.TryEnter();
                if (error == FileError.EPERM)
                    return;
                break;
            case FileEntryType.Symlink:
                error = FileSystem.TryReadLink(walk.Directory, walk.Name, out var target);
                if (error == 0)
                    await AppendAsync(ArchiveHeader.Make(ArchiveEntryType.Symlink, NameOf(walk), ArchiveName.Escape(target), status), cancellationToken);
                break;
        }

        if (error is not (0 or FileError.ENOENT or FileError.ENOTDIR or FileError.ELOOP or FileError.EINVAL))
            throw new FileSystemException(error);
    }

    private async ValueTask SendFileAsync(TreeWalk walk, SafeFileHandle file, CancellationToken cancellationToken)
    {
        var status = FileSystem.StatusOf(file);
        if (status.Type != FileEntryType.File || KernelFileSystems.Contains(file))
            return;
        await AppendAsync(ArchiveHeader.Make(ArchiveEntryType.File, NameOf(walk), [], status), cancellationToken);
        for (long offset = 0; offset < status.Size;)
        {
            if (_count == FileReader.BufferBytes)
                await FlushAsync(cancellationToken);
            var room = Math.Min(FileReader.BufferBytes - _count, status.Size - offset);
            var count = FileSystem.Read(file, _buffer.AsSpan(_count, (int)room), offset);
            if (count == 0)
                throw new FileShrankException();
            _count += count;
            offset += count;
        }

        await AppendAsync(new byte[ArchiveFormat.Padding(status.Size)], cancellationToken);
    }

    private static byte[] NameOf(TreeWalk walk) => ArchiveName.Escape(walk.Path);

    private async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            if (_count == FileReader.BufferBytes)
                await FlushAsync(cancellationToken);
            var count = Math.Min(bytes.Length, FileReader.BufferBytes - _count);
            bytes[..count].CopyTo(_buffer.AsMemory(_count));
            _count += count;
            bytes = bytes[count..];
        }
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await body.WriteAsync(_buffer.AsMemory(0, _count), cancellationToken);
        _count = 0;
        sent();
        // Other requests get a turn, however fast the reader is.
        await Task.Yield();
    }
}
