using DonkeyWork.CodeSandbox.Contracts;
using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>Makes directories.</summary>
internal static class Directories
{
    /// <summary>Makes the parents that a place lacks. They are gone again unless kept.</summary>
    public static MadeDirectories MakeMissing(Place place) => new(place.Directory, place.MissingParents);

    /// <summary>The directory at a place, made with its parents if it is not there.</summary>
    public static SafeFileHandle OpenOrMake(Place place)
    {
        if (place.Status is { Type: FileEntryType.Directory })
            return FileSystem.Open(place.Directory, place.Name, O_PATH | O_DIRECTORY);
        using var made = new MadeDirectories(place.Directory, [.. place.MissingParents, place.Name]);
        made.Keep();
        return FileSystem.Open(made.Last, "."u8, O_PATH | O_DIRECTORY);
    }
}

/// <summary>A chain of directories, made at once.</summary>
internal sealed class MadeDirectories : IDisposable
{
    private readonly List<(SafeFileHandle Parent, byte[] Name)> _made = [];
    private readonly List<SafeFileHandle> _opened = [];
    private bool _isKept;

    public MadeDirectories(SafeFileHandle directory, IReadOnlyList<byte[]> names)
    {
        Last = directory;
        try
        {
            foreach (var name in names)
                Enter(name);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The deepest; valid until this is disposed.</summary>
    public SafeFileHandle Last { get; private set; }

    /// <summary>Leaves them there.</summary>
    public void Keep() => _isKept = true;

    public void Dispose()
    {
        for (var i = _made.Count - 1; i >= 0 && !_isKept; i--)
            _ = FileSystem.TryRemove(_made[i].Parent, _made[i].Name, isDirectory: true);
        foreach (var directory in _opened)
            directory.Dispose();
    }

    private void Enter(byte[] name)
    {
        var error = FileSystem.TryMakeDirectory(Last, name);
        if (error == 0)
            _made.Add((Last, name));
        else if (error != FileError.EEXIST)
            throw new FileSystemException(error);
        var directory = FileSystem.Open(Last, name, O_PATH | O_DIRECTORY);
        _opened.Add(directory);
        Last = directory;
    }
}
