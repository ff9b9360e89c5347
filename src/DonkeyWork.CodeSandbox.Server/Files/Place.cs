using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>Where a path leads: a name in an open directory. Whatever happens to the path afterwards, this stays.</summary>
internal sealed class Place : IDisposable
{
    private static readonly byte[] Itself = "."u8.ToArray();

    private Place(SafeFileHandle directory, byte[] name, FileStatus? status, byte[] path)
    {
        Directory = directory;
        Name = name;
        Status = status;
        Path = path;
    }

    /// <summary>The deepest directory on the way that exists.</summary>
    public SafeFileHandle Directory { get; }

    /// <summary>The last component; <c>.</c> when the path ends at <see cref="Directory"/> itself.</summary>
    public byte[] Name { get; }

    /// <summary>What is there; <see langword="null"/>: nothing.</summary>
    public FileStatus? Status { get; }

    /// <summary>The directories between <see cref="Directory"/> and <see cref="Name"/> that do not exist.</summary>
    public IReadOnlyList<byte[]> MissingParents { get; private init; } = [];

    /// <summary>Whether the path can only be a directory's, as it ends in a slash.</summary>
    public bool MustBeDirectory { get; private init; }

    /// <summary>The absolute path without links, for those that follow.</summary>
    public byte[] Path { get; }

    /// <summary>Whether it is named by its own <c>.</c>, as <c>/</c> is: it can be read, not moved or deleted.</summary>
    public bool IsItself => ReferenceEquals(Name, Itself);

    public static Place Of(SafeFileHandle directory, FileStatus status, byte[] path) => new(directory, Itself, status, path);

    public static Place In(SafeFileHandle directory, byte[] name, FileStatus status, byte[] path) => new(directory, name, status, path);

    public static Place Missing(SafeFileHandle directory, IReadOnlyList<byte[]> parents, byte[] name, bool mustBeDirectory, byte[] path) =>
        new(directory, name, null, path) { MissingParents = parents, MustBeDirectory = mustBeDirectory };

    /// <summary>Opens what is there for reading, and looks at what was opened: a regular file or a directory of an ordinary file system.</summary>
    /// <exception cref="FileSystemException">ENOENT, EPERM for what is neither, ELOOP when a link took its place.</exception>
    public SafeFileHandle OpenToRead(out FileStatus status)
    {
        if (Status is not { } expected)
            throw new FileSystemException(FileError.ENOENT);
        // Opening some devices does something.
        if (expected.Type is not (Contracts.FileEntryType.File or Contracts.FileEntryType.Directory))
            throw new FileSystemException(FileError.EPERM);
        var file = FileSystem.Open(Directory, Name, O_RDONLY);
        try
        {
            KernelFileSystems.Refuse(file);
            status = FileSystem.StatusOf(file);
            return status.Type is Contracts.FileEntryType.File or Contracts.FileEntryType.Directory ? file : throw new FileSystemException(FileError.EPERM);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose() => Directory.Dispose();
}
