using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Http;
using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Files.Archives;

/// <summary>
/// Unpacks an archive into a directory, and nowhere else: each entry's directories are opened one below the other, and none
/// of them may be a link, whether the archive brought it or it was there. Files are written beside and renamed. Owners,
/// set-id bits and directories' times are not taken over.
/// </summary>
/// <param name="root">The directory.</param>
/// <param name="received">Called for every piece.</param>
internal sealed class ArchiveUnpacker(SafeFileHandle root, Action received)
{
    private const uint OwnersRights = 0x1C0;

    private readonly ArchivePath _path = new("name");
    private readonly ArchivePath _target = new("link");

    /// <summary>Unpacks all of it.</summary>
    /// <exception cref="RequestException">With <c>bad_archive</c>, or what the kernel refused, and how many entries were unpacked.</exception>
    public async Task UnpackAsync(Stream body, CancellationToken cancellationToken)
    {
        var archive = new ArchiveReader(body);
        var unpacked = 0;
        try
        {
            for (; await archive.NextAsync(cancellationToken) is { } entry; unpacked++)
            {
                await UnpackAsync(archive, entry, cancellationToken);
                received();
            }
        }
        catch (BadArchiveException error)
        {
            throw new RequestException(StatusCodes.Status400BadRequest, ErrorCodes.BadArchive, error.Message) { Unpacked = unpacked };
        }
        catch (FileSystemException error)
        {
            var problem = FileErrors.Of(error);
            throw new RequestException(problem.Status, problem.Code, problem.Message) { Unpacked = unpacked };
        }
    }

    private async ValueTask UnpackAsync(ArchiveReader archive, ArchiveEntry entry, CancellationToken cancellationToken)
    {
        var isFile = entry.Type is ArchiveEntryType.File or ArchiveEntryType.OldFile or ArchiveEntryType.ContiguousFile && entry.Name.Span is not [.., (byte)'/'];
        // Before POSIX a directory was a file whose name ends in a slash.
        var isDirectory = entry.Type is ArchiveEntryType.Directory || (!isFile && entry.Type is ArchiveEntryType.File or ArchiveEntryType.OldFile);
        if (!isFile && !isDirectory && entry.Type is not (ArchiveEntryType.Symlink or ArchiveEntryType.HardLink))
            throw new BadArchiveException("An entry is neither a file, a directory nor a link.");
        if (!isFile && entry.Size > 0)
            throw new BadArchiveException("An entry that is no file has content.");
        _path.Set(entry.Name.Span);
        if (_path.IsEmpty)
        {
            if (!isDirectory)
                throw new BadArchiveException("An entry that is no directory has no name.");
            return;
        }

        using var parent = OpenDirectory(_path.Parent, make: true);
        if (isFile)
            await UnpackFileAsync(archive, entry, parent, cancellationToken);
        else if (isDirectory)
            MakeDirectory(parent, _path.Name, entry);
        else
            MakeLink(parent, _path.Name, entry);
    }

    private async ValueTask UnpackFileAsync(ArchiveReader archive, ArchiveEntry entry, SafeFileHandle parent, CancellationToken cancellationToken)
    {
        using var file = new TemporaryFile(parent);
        for (var bytes = await archive.ReadAsync(cancellationToken); !bytes.IsEmpty; bytes = await archive.ReadAsync(cancellationToken))
        {
            FileSystem.WriteAll(file.File, bytes.Span);
            received();
        }

        FileSystem.SetMode(file.File, entry.Permissions);
        FileSystem.SetModified(file.File, entry.Modified);
        FileSystem.Check(file.TryMoveTo(parent, _path.Name, replace: true));
    }

    private static void MakeDirectory(SafeFileHandle parent, ReadOnlySpan<byte> name, ArchiveEntry entry)
    {
        var error = FileSystem.TryMakeDirectory(parent, name);
        if (error == FileError.EEXIST)
        {
            if (FileSystem.TryGetStatus(parent, name, out var status) == 0 && status.Type != FileEntryType.Directory)
                throw new BadArchiveException("A directory of the archive is something else already.");
            return;
        }

        FileSystem.Check(error);
        using var directory = FileSystem.Open(parent, name, O_RDONLY | O_DIRECTORY);
        // What follows goes into it.
        FileSystem.SetMode(directory, entry.Permissions | OwnersRights);
    }

    private void MakeLink(SafeFileHandle parent, ReadOnlySpan<byte> name, ArchiveEntry entry)
    {
        var temporary = TemporaryFile.NewName();
        FileSystem.Check(entry.Type == ArchiveEntryType.Symlink
            ? FileSystem.TryMakeSymlink(entry.Target.Span, parent, temporary)
            : TryMakeHardLink(parent, temporary, entry.Target.Span));
        var error = FileSystem.TryRename(parent, temporary, parent, name, replace: true);
        // Two names of one file: then rename(2) leaves both.
        _ = FileSystem.TryRemove(parent, temporary);
        FileSystem.Check(error);
    }

    private int TryMakeHardLink(SafeFileHandle parent, ReadOnlySpan<byte> name, ReadOnlySpan<byte> target)
    {
        _target.Set(target);
        if (_target.IsEmpty)
            throw new BadArchiveException("A hard link leads nowhere.");
        using var directory = OpenDirectory(_target.Parent, make: false);
        if (FileSystem.TryGetStatus(directory, _target.Name, out var status) != 0 || status.Type != FileEntryType.File)
            throw new BadArchiveException("A hard link leads to no file of the archive.");
        return FileSystem.TryLink(directory, _target.Name, parent, name);
    }

    private SafeFileHandle OpenDirectory(ReadOnlySpan<byte> path, bool make)
    {
        var current = FileSystem.Open(root, "."u8, O_PATH | O_DIRECTORY);
        try
        {
            foreach (var range in path.Split((byte)'/'))
            {
                var step = path[range];
                if (step.IsEmpty)
                    break;
                var error = FileSystem.TryOpen(current, step, O_PATH | O_DIRECTORY, out var next);
                if (error == FileError.ENOENT && make)
                {
                    FileSystem.Check(FileSystem.TryMakeDirectory(current, step) is not FileError.EEXIST and var failure ? failure : 0);
                    error = FileSystem.TryOpen(current, step, O_PATH | O_DIRECTORY, out next);
                }

                if (error is FileError.ENOTDIR or FileError.ELOOP or FileError.ENOENT)
                    throw new BadArchiveException("An entry goes through a link, or through what is no directory.");
                FileSystem.Check(error);
                current.Dispose();
                current = next;
                KernelFileSystems.Refuse(current);
            }

            return current;
        }
        catch
        {
            current.Dispose();
            throw;
        }
    }
}
