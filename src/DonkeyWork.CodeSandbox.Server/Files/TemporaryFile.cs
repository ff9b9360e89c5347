using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>A new file beside the one that it shall replace. It is gone again unless it was moved to its place.</summary>
internal sealed class TemporaryFile : IDisposable
{
    /// <summary>Names that no program gives its files by chance.</summary>
    private static readonly byte[] Prefix = Encoding.ASCII.GetBytes($".codesandbox-{RandomNumberGenerator.GetHexString(16, lowercase: true)}-");

    private static long _last;

    private readonly SafeFileHandle _directory;
    private readonly byte[] _name;
    private bool _isMoved;

    /// <summary>Makes one; writable by us alone.</summary>
    /// <param name="directory">Where; stays the caller's, and open for as long.</param>
    public TemporaryFile(SafeFileHandle directory)
    {
        _directory = directory;
        _name = NewName();
        File = FileSystem.Open(directory, _name, O_WRONLY | O_CREAT | O_EXCL, 0x180);
    }

    /// <summary>Open for writing.</summary>
    public SafeFileHandle File { get; }

    /// <summary>Whether a name is of a file that is being written, and so of none that anybody asked for.</summary>
    public static bool IsName(ReadOnlySpan<byte> name) => name.StartsWith(Prefix);

    /// <summary>A name that nothing has.</summary>
    public static byte[] NewName() => [.. Prefix, .. Encoding.ASCII.GetBytes(Interlocked.Increment(ref _last).ToString("x", null))];

    /// <summary>Gives it its name.</summary>
    /// <param name="directory">Of the same file system.</param>
    /// <param name="name">What is there is replaced; a link itself, not where it leads.</param>
    /// <param name="replace">If not, and something is there: EEXIST.</param>
    public int TryMoveTo(SafeFileHandle directory, ReadOnlySpan<byte> name, bool replace)
    {
        var error = Moves.TryRename(_directory, _name, directory, name, replace);
        _isMoved = error == 0;
        return error;
    }

    public void Dispose()
    {
        File.Dispose();
        if (!_isMoved)
            _ = FileSystem.TryRemove(_directory, _name);
    }
}
