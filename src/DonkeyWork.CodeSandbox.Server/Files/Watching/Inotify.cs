using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using DonkeyWork.CodeSandbox.Server.Posix;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Files.Watching;

/// <summary>What the kernel tells (inotify(7)).</summary>
/// <param name="Watch">The watch of the directory that it happened in; -1: of all.</param>
/// <param name="Mask">What happened.</param>
/// <param name="Cookie">The same for both halves of a rename.</param>
/// <param name="Name">Of what in the directory; empty: the directory itself.</param>
internal readonly record struct InotifyEvent(int Watch, uint Mask, uint Cookie, byte[] Name);

/// <summary>One inotify instance. Directories are watched by descriptor, so that none is mistaken and no path is too long.</summary>
internal sealed partial class Inotify : IDisposable
{
    public const uint Modified = 0x2 | 0x4; // IN_MODIFY, IN_ATTRIB
    public const uint MovedFrom = 0x40;
    public const uint MovedTo = 0x80;
    public const uint Created = 0x100;
    public const uint Deleted = 0x200;
    public const uint SelfGone = 0x400 | 0x800 | 0x2000; // IN_DELETE_SELF, IN_MOVE_SELF, IN_UNMOUNT
    public const uint QueueOverflow = 0x4000;
    public const uint Ignored = 0x8000;
    public const uint IsDirectory = 0x40000000;

    private const uint OnlyDirectory = 0x1000000;
    private const uint Mask = Modified | MovedFrom | MovedTo | Created | Deleted | SelfGone | OnlyDirectory;
    private const int HeaderBytes = 16;
    private const int BufferBytes = 64 * 1024;
    private const int LargestEvent = HeaderBytes + 256;

    private readonly SafeFileHandle _instance;
    private readonly DescriptorReader _reader;
    private readonly byte[] _buffer = new byte[BufferBytes];

    /// <exception cref="FileSystemException">EMFILE, ENFILE: the host has no instance left; ENOSYS, EPERM: it has none at all.</exception>
    public Inotify()
    {
        var descriptor = Initialize(FileSystemCalls.O_NONBLOCK | FileSystemCalls.O_CLOEXEC);
        if (descriptor < 0)
            throw new FileSystemException(Marshal.GetLastPInvokeError());
        _instance = new SafeFileHandle(descriptor, ownsHandle: true);
        _reader = new DescriptorReader(_instance);
    }

    /// <summary>Watches an open directory; the same one has the same number.</summary>
    public unsafe int TryAdd(SafeFileHandle directory, out int watch)
    {
        // Its link in /proc is the one name that is certainly the descriptor's.
        var path = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{directory.DangerousGetHandle()}\0"));
        fixed (byte* name = path)
            watch = AddWatch(_instance, name, Mask);
        GC.KeepAlive(directory);
        return watch < 0 ? Marshal.GetLastPInvokeError() : 0;
    }

    public void Remove(int watch) => _ = RemoveWatch(_instance, watch);

    /// <summary>The next events.</summary>
    /// <returns>Them, and whether more are waiting.</returns>
    public async ValueTask<(IReadOnlyList<InotifyEvent> Events, bool HasMore)> ReadAsync(CancellationToken cancellationToken)
    {
        var length = await _reader.ReadAsync(_buffer, cancellationToken);
        var events = new List<InotifyEvent>();
        for (var position = 0; position < length;)
        {
            var bytes = _buffer.AsSpan(position, length - position);
            var nameBytes = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
            var name = bytes.Slice(HeaderBytes, nameBytes);
            var end = name.IndexOf((byte)0);
            events.Add(new InotifyEvent(
                BinaryPrimitives.ReadInt32LittleEndian(bytes),
                BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]),
                BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),
                name[..(end < 0 ? nameBytes : end)].ToArray()));
            position += HeaderBytes + nameBytes;
        }

        return (events, length > BufferBytes - LargestEvent);
    }

    public void Dispose() => _reader.Dispose();

    [LibraryImport("libc", EntryPoint = "inotify_init1", SetLastError = true)]
    private static partial int Initialize(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", SetLastError = true)]
    private static unsafe partial int AddWatch(SafeFileHandle instance, byte* path, uint mask);

    [LibraryImport("libc", EntryPoint = "inotify_rm_watch", SetLastError = true)]
    private static partial int RemoveWatch(SafeFileHandle instance, int watch);
}
