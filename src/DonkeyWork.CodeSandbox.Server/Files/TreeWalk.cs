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
/// Walks a directory tree, following no links, with a bounded number of descriptors: those of the deepest levels. To an
/// older one it goes back by <c>..</c>, and only if that is still the directory it came from. What it holds is one path and
/// a few numbers per level.
/// </summary>
internal sealed class TreeWalk : IDisposable
{
    private const int OpenLevels = 16;

    /// <summary>What bounds the depth, and with it the memory: some 500 levels of the longest names, 65,536 of the shortest.</summary>
    private const int MaxPathBytes = 128 * 1024;

    /// <summary>Of the level n the one at n modulo their number.</summary>
    private readonly DirectoryReader[] _readers = new DirectoryReader[OpenLevels];
    private readonly List<Level> _levels = [];
    private readonly bool _withTemporary;
    private byte[] _path = new byte[1024];
    private int _pathBytes;
    private int _nameAt;

    /// <param name="top">Open for reading; this walk's from now on.</param>
    /// <param name="withTemporary">Whether files that are being written are told of too.</param>
    public TreeWalk(SafeFileHandle top, bool withTemporary = false)
    {
        _withTemporary = withTemporary;
        Push(top, 0);
    }

    /// <summary>Which directories are not entered.</summary>
    public Func<SafeFileHandle, bool> Skips { get; init; } = KernelFileSystems.Contains;

    /// <summary>Whether the file system does not exclude that the entry is a directory.</summary>
    public bool MayBeDirectory => Reader.MayBeDirectory;

    /// <summary>Where <see cref="Name"/> is.</summary>
    public SafeFileHandle Directory => Reader.Directory!;

    /// <summary>The last component of what the walk has come to; valid until it goes on.</summary>
    public ReadOnlySpan<byte> Name => _path.AsSpan(_nameAt, _pathBytes - _nameAt);

    /// <summary>Its path from the top; valid until the walk goes on.</summary>
    public ReadOnlySpan<byte> Path => _path.AsSpan(0, _pathBytes);

    /// <summary>How deep it is; 1 for what is in the top.</summary>
    public int Depth => _levels.Count;

    private DirectoryReader Reader => ReaderOf(_levels.Count - 1);

    /// <summary>Goes on.</summary>
    /// <exception cref="FileSystemException">A directory cannot be read; ESTALE: it was moved while the walk was below it.</exception>
    public WalkStep Next()
    {
        var level = _levels[^1];
        if (Reader.TryRead(out var name))
        {
            _nameAt = level.NamesAt;
            _pathBytes = _nameAt + name.Length;
            if (_path.Length <= _pathBytes)
                Array.Resize(ref _path, _path.Length * 2);
            name.CopyTo(_path.AsSpan(_nameAt));
            return WalkStep.Entry;
        }

        if (_levels.Count == 1)
            return WalkStep.End;
        var left = Reader;
        _levels.RemoveAt(_levels.Count - 1);
        if (Reader.Directory is null)
            Reopen(left.Directory!);
        left.Close();
        _nameAt = _levels[^1].NamesAt;
        _pathBytes = level.NamesAt - 1;
        return WalkStep.Left;
    }

    /// <summary>Goes into the entry that the walk has come to, which must be a directory.</summary>
    /// <returns>
    /// 0, or the errno: ENOENT, ENOTDIR or ELOOP when it is none any more, EPERM for one that is not to be entered,
    /// ENAMETOOLONG for one that is too deep.
    /// </returns>
    public int TryEnter()
    {
        if (_pathBytes > MaxPathBytes)
            return FileError.ENAMETOOLONG;
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

            Push(opened, _pathBytes + 1);
        }
        catch
        {
            opened.Dispose();
            throw;
        }

        _path[_pathBytes] = (byte)'/';
        return 0;
    }

    public void Dispose()
    {
        foreach (var reader in _readers)
            reader?.Close();
    }

    private void Push(SafeFileHandle directory, int namesAt)
    {
        var status = FileSystem.StatusOf(directory);
        var older = _levels.Count - OpenLevels;
        if (older >= 0 && ReaderOf(older).Directory is not null)
            _levels[older] = _levels[older] with { Offset = ReaderOf(older).Close() };
        _levels.Add(new Level(status.Inode, status.Device, namesAt, 0));
        Reader.Open(directory, 0);
    }

    private void Reopen(SafeFileHandle child)
    {
        var level = _levels[^1];
        var directory = FileSystem.Open(child, ".."u8, O_RDONLY | O_DIRECTORY);
        try
        {
            var status = FileSystem.StatusOf(directory);
            if (status.Inode != level.Inode || status.Device != level.Device)
                throw new FileSystemException(FileError.ESTALE);
            Reader.Open(directory, level.Offset);
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    private DirectoryReader ReaderOf(int level) => _readers[level % OpenLevels] ??= new DirectoryReader(_withTemporary);

    /// <param name="Inode">Which directory it is.</param>
    /// <param name="Device">Where that inode is.</param>
    /// <param name="NamesAt">Where in the path the names in it begin.</param>
    /// <param name="Offset">Where reading goes on, while it is closed.</param>
    private readonly record struct Level(ulong Inode, ulong Device, int NamesAt, long Offset);
}
