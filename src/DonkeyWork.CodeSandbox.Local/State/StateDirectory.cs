using System.Runtime.InteropServices;
using System.Security.Cryptography;
using DonkeyWork.CodeSandbox.Local.Posix;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Local.State;

/// <summary>
/// The directory that makes a Manager that starts again find its sandboxes. One Manager at a time: it is locked
/// (flock(2)) for as long as this object lives, and free again when the process ends in whatever way.
/// </summary>
public sealed class StateDirectory : IDisposable
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Others come through to what they may have in it, and can list nothing.</summary>
    internal const UnixFileMode Passable =
        Private | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private readonly SafeFileHandle _lock;

    private StateDirectory(string path, SafeFileHandle handle)
    {
        Root = path;
        _lock = handle;
    }

    /// <summary>Its path.</summary>
    public string Root { get; }

    /// <summary>A directory per sandbox.</summary>
    internal string Sandboxes => Path.Combine(Root, "sandboxes");

    /// <summary>Where the OCI runtime keeps its own state.</summary>
    internal string Runtime => Path.Combine(Root, "runtime");

    /// <summary>The default root file system.</summary>
    internal string RootFileSystem => Path.Combine(Root, "rootfs");

    /// <summary>Disk images to copy.</summary>
    internal string Templates => Path.Combine(Root, "templates");

    /// <summary>The directory of one sandbox.</summary>
    internal string Of(string sandbox) => Path.Combine(Sandboxes, sandbox);

    /// <summary>Where it is if the operator says nothing.</summary>
    public static string DefaultPath() =>
        LibC.GetEffectiveUserId() == 0
            ? "/var/lib/codesandbox"
            : Path.Combine(
                Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } state
                    ? state
                    : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state"),
                "codesandbox");

    /// <summary>Makes and locks it.</summary>
    /// <exception cref="StateDirectoryInUseException">Another Manager holds it.</exception>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It is somebody else's.</exception>
    public static StateDirectory Open(string? path)
    {
        const int ExclusiveWithoutWaiting = 2 | 4;
        path ??= DefaultPath();
        Directories.Make(path, Passable);
        var lockPath = Path.Combine(path, "lock");
        var handle = Descriptors.LockFile(lockPath);
        if (LibC.Flock(handle, ExclusiveWithoutWaiting) < 0)
        {
            using (handle)
                throw StateDirectoryInUseException.Of(path, RuntimeProcess.TextOf(handle).Split('\n'));
        }

        var state = new StateDirectory(path, handle);
        state.Announce(null);
        Directories.Make(state.Sandboxes, Passable);
        foreach (var directory in (string[])[state.Runtime, state.Templates])
            Directories.Make(directory, Private | UnixFileMode.UserExecute);
        return state;
    }

    /// <summary>Writes who holds the directory, for the Manager that finds it taken.</summary>
    /// <param name="url">Where this Manager listens, once that is known.</param>
    public void Announce(Uri? url)
    {
        File.SetUnixFileMode(_lock, Private);
        RandomAccess.SetLength(_lock, 0);
        try
        {
            RandomAccess.Write(_lock, System.Text.Encoding.UTF8.GetBytes($"{Environment.ProcessId}\n{url}\n"), 0);
        }
        catch (IOException)
        {
            // A full disk: it is held all the same.
        }
    }

    /// <summary>The Manager's secret: 32 bytes of randomness, made once, readable by its user alone.</summary>
    public byte[] Secret()
    {
        var path = Path.Combine(Root, "secret");
        if (!File.Exists(path))
            AtomicFile.Write(path, RandomNumberGenerator.GetBytes(32));
        var secret = File.ReadAllBytes(path);
        return secret.Length == 32 ? secret : throw new InvalidDataException($"{path} must hold 32 bytes; delete it to get a new one.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // By name: a child that is being started has a copy of the descriptor until its exec, and closing ours would not free it.
        const int Unlock = 8;
        if (!_lock.IsClosed)
            _ = LibC.Flock(_lock, Unlock);
        _lock.Dispose();
    }
}
