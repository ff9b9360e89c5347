using DonkeyWork.CodeSandbox.Server.Posix;
using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Executions.Logs;

/// <summary>Where the bytes of a log are.</summary>
internal interface ILogStorage : IDisposable
{
    /// <summary>Writes at an offset at or before the end. <see langword="false"/> when there is no room: part of it may have been written.</summary>
    bool TryWrite(ReadOnlySpan<byte> bytes, long offset);

    /// <summary>Reads what was written there.</summary>
    void Read(Span<byte> bytes, long offset);
}

/// <summary>A file without a name: it goes with its descriptor, however the executor ends.</summary>
internal sealed class FileStorage : ILogStorage
{
    /// <summary>open(2): <c>__O_TMPFILE | O_DIRECTORY</c>.</summary>
    private static readonly int TemporaryFile = 0x400000 | O_DIRECTORY;
    private const int OwnerOnly = 0x180;

    private readonly SafeFileHandle _file;

    private FileStorage(SafeFileHandle file) => _file = file;

    /// <summary>Makes one, or <see langword="null"/> where none can be made.</summary>
    public static FileStorage? TryCreate(string directory)
    {
        var descriptor = Native.Open(directory, TemporaryFile | O_RDWR | O_CLOEXEC, OwnerOnly);
        return descriptor >= 0
            ? new FileStorage(new SafeFileHandle(descriptor, ownsHandle: true))
            : TryCreateNamed(directory);
    }

    public bool TryWrite(ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Write(_file, bytes, offset);
            return true;
        }
        catch (IOException)
        {
            // The disk is full, or broken.
            return false;
        }
    }

    public void Read(Span<byte> bytes, long offset)
    {
        while (!bytes.IsEmpty)
        {
            var count = RandomAccess.Read(_file, bytes, offset);
            if (count == 0)
                throw new EndOfStreamException("A log has less than was written.");
            bytes = bytes[count..];
            offset += count;
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Not every file system knows files without a name (overlayfs before Linux 6.3).</summary>
    private static FileStorage? TryCreateNamed(string directory)
    {
        try
        {
            var path = Path.Combine(directory, $".codesandbox-{Guid.NewGuid():n}");
            var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
            File.Delete(path);
            return new FileStorage(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The caller goes on without a file.
            return null;
        }
    }
}

/// <summary>A little memory, where there is no file to be had or none is worth its while.</summary>
internal sealed class MemoryStorage : ILogStorage
{
    /// <summary>How much it holds: 64 KiB.</summary>
    public const int Capacity = 64 * 1024;

    private const int InitialBytes = 4 * 1024;

    private byte[] _bytes = [];

    public bool TryWrite(ReadOnlySpan<byte> bytes, long offset)
    {
        var end = (int)offset + bytes.Length;
        if (end > _bytes.Length)
            Array.Resize(ref _bytes, Math.Min(Capacity, Math.Max(end, Math.Max(InitialBytes, 2 * _bytes.Length))));
        bytes.CopyTo(_bytes.AsSpan((int)offset));
        return true;
    }

    public void Read(Span<byte> bytes, long offset) => _bytes.AsSpan((int)offset, bytes.Length).CopyTo(bytes);

    public void Dispose() => _bytes = [];
}
