using System.Text;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>
/// Walks a path component by component and follows its links by hand. The kernel would do it in one call, but also walk
/// through the links of <c>/proc</c>, which lead to what the executor has open; and only openat2(2), which gVisor lacks,
/// could forbid that. As a gain no path is too long.
/// </summary>
/// <param name="home">Where relative paths start.</param>
internal sealed class SandboxPath(string home)
{
    /// <summary>As many links as the kernel follows (path_resolution(7)).</summary>
    private const int MaxLinks = 40;

    private const int MaxPathBytes = 64 * 1024;

    /// <summary>Each that is made is kept open until all are.</summary>
    private const int MaxMissing = 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Finds where a path leads. What is not there is no error, as long as its parents are none but directories.</summary>
    /// <param name="given">One path, absolute, or relative to the home directory.</param>
    /// <param name="followLast">Whether a link at the end is followed.</param>
    /// <exception cref="RequestException">It is no path.</exception>
    /// <exception cref="FileSystemException">It leads nowhere: ENOTDIR, EACCES, ELOOP, EPERM through a kernel file system.</exception>
    public Place Resolve(StringValues given, bool followLast = true)
    {
        if (given.Count > 1)
            throw Json.InvalidFields(new() { ["path"] = ["is given more than once"] });
        var path = given.ToString();
        var rest = new Stack<byte[]>();
        Push(rest, followLast ? Parse(path) : Parse(path.TrimEnd('/') is { Length: > 0 } trimmed ? trimmed : path));
        var walk = new Walk();
        try
        {
            return Follow(walk, rest, followLast);
        }
        catch
        {
            walk.Current.Dispose();
            throw;
        }
    }

    private byte[] Parse(string path)
    {
        if (path.Length == 0)
            throw Json.InvalidFields(new() { ["path"] = ["is required"] });
        if (path.Contains('\0', StringComparison.Ordinal))
            throw Json.InvalidFields(new() { ["path"] = ["contains a NUL"] });
        try
        {
            var bytes = StrictUtf8.GetBytes(path[0] == '/' ? path : $"{home}/{path}");
            return bytes.Length <= MaxPathBytes ? bytes : throw Json.InvalidFields(new() { ["path"] = [$"has more than {MaxPathBytes} bytes"] });
        }
        catch (EncoderFallbackException)
        {
            throw Json.InvalidFields(new() { ["path"] = ["is not Unicode"] });
        }
    }

    private static Place Follow(Walk walk, Stack<byte[]> rest, bool followLast)
    {
        var links = 0;
        while (rest.TryPop(out var name))
        {
            if (name.AsSpan().SequenceEqual("."u8))
                continue;
            if (name.AsSpan().SequenceEqual(".."u8))
            {
                walk.GoUp();
                continue;
            }

            var error = FileSystem.TryOpen(walk.Current, name, O_PATH, out var found);
            if (error == FileError.ENOENT)
                return Missing(walk, name, rest);
            FileSystem.Check(error);
            var status = Walk.Look(found);
            if (status.Type == FileEntryType.Symlink && (rest.Count > 0 || followLast))
            {
                found.Dispose();
                if (++links > MaxLinks)
                    throw new FileSystemException(FileError.ELOOP);
                error = FileSystem.TryReadLink(walk.Current, name, out var target);
                // EINVAL: it was replaced by something else since.
                if (error is FileError.EINVAL or FileError.ENOENT)
                    rest.Push(name);
                else
                    FileSystem.Check(error);
                if (target is [(byte)'/', ..])
                    walk.Restart();
                Push(rest, target);
            }
            else if (status.Type == FileEntryType.Directory)
            {
                if (rest.Count == 0)
                    return walk.End(found, name, status);
                walk.Enter(found, name);
            }
            else
            {
                if (rest.Count > 0)
                {
                    found.Dispose();
                    throw new FileSystemException(FileError.ENOTDIR);
                }

                return walk.End(found, name, status);
            }
        }

        return Place.Of(walk.Current, FileSystem.StatusOf(walk.Current), walk.Path);
    }

    private static Place Missing(Walk walk, byte[] name, Stack<byte[]> rest)
    {
        List<byte[]> names = [name];
        var mustBeDirectory = false;
        while (rest.TryPop(out var next))
        {
            if (next.AsSpan().SequenceEqual(".."u8))
                throw new FileSystemException(FileError.ENOENT);
            mustBeDirectory = next.AsSpan().SequenceEqual("."u8);
            if (!mustBeDirectory)
                names.Add(next);
        }

        if (names.Count > MaxMissing)
            throw new FileSystemException(FileError.ENAMETOOLONG);
        return Place.Missing(walk.Current, names[..^1], names[^1], mustBeDirectory, [.. walk.Path, .. names.SelectMany(step => (byte[])[(byte)'/', .. step])]);
    }

    /// <summary>The components of a path, the first one on top; one that ends in a slash has a last component <c>.</c>.</summary>
    private static void Push(Stack<byte[]> rest, byte[] path)
    {
        if (path is [.., (byte)'/'])
            rest.Push("."u8.ToArray());
        var end = path.Length;
        for (var i = path.Length - 1; i >= -1; i--)
        {
            if (i >= 0 && path[i] != (byte)'/')
                continue;
            if (end - i > 1)
                rest.Push(path[(i + 1)..end]);
            end = i;
        }
    }

    /// <summary>The directory that was reached, and its path without links.</summary>
    private sealed class Walk
    {
        private readonly List<byte[]> _names = [];

        public SafeFileHandle Current { get; private set; } = FileSystem.OpenRoot();

        /// <summary>Without a slash at its end: empty for the root.</summary>
        public byte[] Path => [.. _names.SelectMany(name => (byte[])[(byte)'/', .. name])];

        public void Restart()
        {
            _names.Clear();
            Replace(FileSystem.OpenRoot());
        }

        public void GoUp()
        {
            if (_names.Count > 0)
                _names.RemoveAt(_names.Count - 1);
            Replace(FileSystem.Open(Current, ".."u8, O_PATH | O_DIRECTORY));
        }

        public void Enter(SafeFileHandle directory, byte[] name)
        {
            _names.Add(name);
            Replace(directory);
        }

        /// <summary>What was found, if it may be looked at.</summary>
        public static FileStatus Look(SafeFileHandle found)
        {
            try
            {
                KernelFileSystems.Refuse(found);
                return FileSystem.StatusOf(found);
            }
            catch
            {
                found.Dispose();
                throw;
            }
        }

        public Place End(SafeFileHandle found, byte[] name, FileStatus status)
        {
            found.Dispose();
            return Place.In(Current, name, status, [.. Path, (byte)'/', .. name]);
        }

        private void Replace(SafeFileHandle next)
        {
            Current.Dispose();
            Current = next;
        }
    }
}
