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
    private readonly ArchiveHeader _header = new();
    private readonly ArrayBufferWriter<byte> _name = new();
    private readonly ArrayBufferWriter<byte> _target = new();
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

            await AppendAsync(ArchiveFormat.Zeros, cancellationToken);
            await FlushAsync(cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
    }

    private async ValueTask SendEntryAsync(TreeWalk walk, CancellationToken cancellationToken)
    {
        SetName(walk);
        var error = FileSystem.TryGetStatus(walk.Directory, walk.Name, out var status);
        switch (error == 0 ? status.Type : FileEntryType.Other)
        {
            case FileEntryType.File:
                error = FileSystem.TryOpen(walk.Directory, walk.Name, O_RDONLY, out var file);
                using (file)
                {
                    if (error == 0)
                        await SendFileAsync(file, cancellationToken);
                }

                break;
            case FileEntryType.Directory:
                _name.Write("/"u8);
                await AppendAsync(_header.Make(ArchiveEntryType.Directory, _name.WrittenSpan, [], status), cancellationToken);
                error = walk.TryEnter();
                if (error == FileError.EPERM)
                    return;
                break;
            case FileEntryType.Symlink:
                error = FileSystem.TryReadLink(walk.Directory, walk.Name, out var target);
                if (error == 0)
                {
                    _target.ResetWrittenCount();
                    ArchiveName.Escape(target, _target);
                    await AppendAsync(_header.Make(ArchiveEntryType.Symlink, _name.WrittenSpan, _target.WrittenSpan, status), cancellationToken);
                }

                break;
        }

        if (error is not (0 or FileError.ENOENT or FileError.ENOTDIR or FileError.ELOOP or FileError.EINVAL))
            throw new FileSystemException(error);
    }

    private async ValueTask SendFileAsync(SafeFileHandle file, CancellationToken cancellationToken)
    {
        var status = FileSystem.StatusOf(file);
        if (status.Type != FileEntryType.File || KernelFileSystems.Contains(file))
            return;
        await AppendAsync(_header.Make(ArchiveEntryType.File, _name.WrittenSpan, [], status), cancellationToken);
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

        await AppendAsync(ArchiveFormat.Zeros[..ArchiveFormat.Padding(status.Size)], cancellationToken);
    }

    private void SetName(TreeWalk walk)
    {
        _name.ResetWrittenCount();
        ArchiveName.Escape(walk.Path, _name);
    }

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
