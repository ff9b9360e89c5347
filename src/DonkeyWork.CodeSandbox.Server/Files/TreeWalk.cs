using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>What the walk has come to.</summary>
internal enum WalkStep
{
    /// <summary>Something in the current directory.</summary>
    Entry,

    /// <summary>A directory that was entered is done; the current one is its parent again.</summary>
    Left,

    /// <summary>Everything is done.</summary>
    End,
}

/// <summary>
/// Walks a directory tree of any depth, following no links, with a bounded number of descriptors: those of the deepest
/// levels. To an older one it goes back by <c>..</c>, and only if that is still the directory it came from.
/// </summary>
internal sealed class TreeWalk : IDisposable
{
    private const int OpenLevels = 16;

    private readonly List<Level> _levels = [];
    private readonly List<byte> _path = [];

    private readonly bool _withTemporary;

    /// <param name="top">Open for reading; this walk's from now on.</param>
    /// <param name="withTemporary">Whether files that are being written are told of too.</param>
    public TreeWalk(SafeFileHandle top, bool withTemporary = false)
    {
        _withTemporary = withTemporary;
        _levels.Add(new Level(new DirectoryReader(top, withTemporary), [], FileSystem.StatusOf(top), 0));
    }

    /// <summary>Which directories are not entered.</summary>
    public Func<SafeFileHandle, bool> Skips { get; init; } = KernelFileSystems.Contains;

    /// <summary>Whether the file system does not exclude that the entry is a directory.</summary>
    public bool MayBeDirectory => _levels[^1].Reader.MayBeDirectory;

    /// <summary>Where <see cref="Name"/> is.</summary>
    public SafeFileHandle Directory => _levels[^1].Reader.Directory;

    /// <summary>The last component of what the walk has come to.</summary>
    public byte[] Name { get; private set; } = [];

    /// <summary>Its path from the top.</summary>
    public byte[] Path => [.. _path];

    /// <summary>How deep it is; 1 for what is in the top.</summary>
    public int Depth => _levels.Count;

    /// <summary>Goes on.</summary>
    /// <exception cref="FileSystemException">A directory cannot be read; ESTALE: it was moved while the walk was below it.</exception>
    public WalkStep Next()
    {
        var level = _levels[^1];
        if (level.Reader.TryRead(out var name))
        {
            Show(level, name);
            return WalkStep.Entry;
        }

        if (_levels.Count == 1)
            return WalkStep.End;
        var parent = _levels[^2];
        if (parent.Reader.IsSuspended)
            Reopen(parent, level.Reader.Directory);
        level.Reader.Dispose();
        _levels.RemoveAt(_levels.Count - 1);
        Show(parent, level.Name);
        return WalkStep.Left;
    }

    /// <summary>Goes into the entry that the walk has come to, which must be a directory.</summary>
    /// <returns>0, or the errno: ENOENT, ENOTDIR or ELOOP when it is none any more, EPERM for one that is not to be entered.</returns>
    public int TryEnter()
    {
        var error = FileSystem.TryOpen(Directory, Name, O_RDONLY | O_DIRECTORY, out var opened);
        if (error != 0)
            return error;
        try
        {
            if (Skips(opened))
            {
                opened.Dispose();
                return FileError.EPERM;
            }

            _levels.Add(new Level(new DirectoryReader(opened, _withTemporary), Name, FileSystem.StatusOf(opened), _path.Count));
        }
        catch
        {
            opened.Dispose();
            throw;
        }

        if (_levels.Count > OpenLevels)
            _levels[^(OpenLevels + 1)].Reader.Suspend();
        return 0;
    }

    public void Dispose()
    {
        foreach (var level in _levels)
            level.Reader.Dispose();
    }

    private void Show(Level level, byte[] name)
    {
        Name = name;
        _path.RemoveRange(level.PathBytes, _path.Count - level.PathBytes);
        if (level.PathBytes > 0)
            _path.Add((byte)'/');
        _path.AddRange(name);
    }

    private static void Reopen(Level level, SafeFileHandle child)
    {
        var directory = FileSystem.Open(child, ".."u8, O_RDONLY | O_DIRECTORY);
        if (!FileSystem.StatusOf(directory).IsSameFile(level.Status))
        {
            directory.Dispose();
            throw new FileSystemException(FileError.ESTALE);
        }

        level.Reader.Resume(directory);
    }

    private sealed record Level(DirectoryReader Reader, byte[] Name, FileStatus Status, int PathBytes);
}
