using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>The names in a directory (getdents64(2)), in pieces. It can be closed and go on later; one reader serves many directories.</summary>
/// <param name="withTemporary">Whether files that are being written are told of too.</param>
internal sealed unsafe class DirectoryReader(bool withTemporary)
{
    private const int BufferBytes = 4096;
    private const int OffsetAt = 8;
    private const int LengthAt = 16;
    private const int KindAt = 18;
    private const int NameAt = 19;
    private const byte UnknownKind = 0;
    private const byte DirectoryKind = 4;

    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _position;
    private int _length;
    private long _offset;

    /// <summary>The directory; <see langword="null"/> while closed.</summary>
    public SafeFileHandle? Directory { get; private set; }

    /// <summary>Of the last name: whether the file system does not exclude that it is a directory.</summary>
    public bool MayBeDirectory { get; private set; }

    /// <summary>Begins, or goes on.</summary>
    /// <param name="directory">Open for reading; the reader's once this has returned.</param>
    /// <param name="offset">What <see cref="Close"/> returned, or 0.</param>
    public void Open(SafeFileHandle directory, long offset)
    {
        if (offset != 0 && Seek(directory, offset, SEEK_SET) < 0)
            throw new FileSystemException(Marshal.GetLastPInvokeError());
        Directory = directory;
        _offset = offset;
        _position = _length = 0;
    }

    /// <summary>Gives the descriptor back.</summary>
    /// <returns>Where it goes on behind the last name that was read.</returns>
    public long Close()
    {
        Directory?.Dispose();
        Directory = null;
        return _offset;
    }

    /// <summary>The next name; neither <c>.</c> nor <c>..</c>, nor, unless asked for, one of a file that is being written.</summary>
    /// <param name="name">Valid until the next call.</param>
    public bool TryRead(out ReadOnlySpan<byte> name)
    {
        while (_position < _length || Fill())
        {
            var entry = _buffer.AsSpan(_position, _length - _position);
            _position += BinaryPrimitives.ReadUInt16LittleEndian(entry[LengthAt..]);
            _offset = BinaryPrimitives.ReadInt64LittleEndian(entry[OffsetAt..]);
            name = entry[NameAt..];
            name = name[..name.IndexOf((byte)0)];
            if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8) || (!withTemporary && TemporaryFile.IsName(name)))
                continue;
            MayBeDirectory = entry[KindAt] is UnknownKind or DirectoryKind;
            return true;
        }

        name = default;
        return false;
    }

    private bool Fill()
    {
        fixed (byte* buffer = _buffer)
        {
            var count = ReadDirectory(Directory!, buffer, BufferBytes);
            // ENOENT: it was deleted since.
            if (count < 0 && Marshal.GetLastPInvokeError() is not FileError.ENOENT and var error)
                throw new FileSystemException(error);
            _position = 0;
            _length = (int)Math.Max(count, 0);
            return _length > 0;
        }
    }
}
