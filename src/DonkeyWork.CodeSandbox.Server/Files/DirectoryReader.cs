using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>The names in a directory (getdents64(2)), in pieces. It can be closed and go on later.</summary>
internal sealed unsafe class DirectoryReader(SafeFileHandle directory, bool withTemporary) : IDisposable
{
    private const int BufferBytes = 4096;
    private const int OffsetAt = 8;
    private const int LengthAt = 16;
    private const int KindAt = 18;
    private const int NameAt = 19;
    private const byte UnknownKind = 0;
    private const byte DirectoryKind = 4;

    private byte[]? _buffer;
    private int _position;
    private int _length;
    private long _offset;

    /// <summary>The directory; closed while suspended.</summary>
    public SafeFileHandle Directory { get; private set; } = directory;

    /// <summary>Of the last name: whether the file system does not exclude that it is a directory.</summary>
    public bool MayBeDirectory { get; private set; }

    public bool IsSuspended => Directory.IsClosed;

    /// <summary>The next name; neither <c>.</c> nor <c>..</c>, nor, unless asked for, one of a file that is being written.</summary>
    public bool TryRead(out byte[] name)
    {
        while (true)
        {
            name = [];
            if (_position == _length && !Fill())
                return false;
            var entry = _buffer.AsSpan(_position, _length - _position);
            _position += BinaryPrimitives.ReadUInt16LittleEndian(entry[LengthAt..]);
            _offset = BinaryPrimitives.ReadInt64LittleEndian(entry[OffsetAt..]);
            var bytes = entry[NameAt..];
            bytes = bytes[..bytes.IndexOf((byte)0)];
            if (bytes.SequenceEqual("."u8) || bytes.SequenceEqual(".."u8) || (!withTemporary && TemporaryFile.IsName(bytes)))
                continue;
            name = bytes.ToArray();
            MayBeDirectory = entry[KindAt] is UnknownKind or DirectoryKind;
            return true;
        }
    }

    /// <summary>Gives the descriptor back.</summary>
    public void Suspend()
    {
        Directory.Dispose();
        _buffer = null;
        _position = _length = 0;
    }

    /// <summary>Goes on behind the last name that was read.</summary>
    public void Resume(SafeFileHandle directory)
    {
        Directory = directory;
        SeekTo(_offset);
    }

    public void Dispose() => Directory.Dispose();

    private void SeekTo(long offset)
    {
        if (Seek(Directory, offset, SEEK_SET) < 0)
            throw new FileSystemException(System.Runtime.InteropServices.Marshal.GetLastPInvokeError());
        _offset = offset;
    }

    private bool Fill()
    {
        _buffer ??= new byte[BufferBytes];
        fixed (byte* buffer = _buffer)
        {
            var count = ReadDirectory(Directory, buffer, BufferBytes);
            // ENOENT: it was deleted since.
            if (count < 0 && System.Runtime.InteropServices.Marshal.GetLastPInvokeError() is not FileError.ENOENT and var error)
                throw new FileSystemException(error);
            _position = 0;
            _length = (int)Math.Max(count, 0);
            return _length > 0;
        }
    }
}
