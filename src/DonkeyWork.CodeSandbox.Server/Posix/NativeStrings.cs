using System.Runtime.InteropServices;
using System.Text;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>A NULL-terminated array of NUL-terminated UTF-8 strings in unmanaged memory, as execve(2) takes it.</summary>
internal sealed unsafe class NativeStrings : IDisposable
{
    private readonly byte** _pointers;

    public NativeStrings(IReadOnlyList<string> strings)
    {
        var table = (nuint)((strings.Count + 1) * sizeof(byte*));
        var size = table;
        foreach (var text in strings)
            size += (nuint)Encoding.UTF8.GetByteCount(text) + 1;

        _pointers = (byte**)NativeMemory.Alloc(size);
        var next = (byte*)_pointers + table;
        var end = (byte*)_pointers + size;
        for (var i = 0; i < strings.Count; i++)
        {
            _pointers[i] = next;
            next += Encoding.UTF8.GetBytes(strings[i], new Span<byte>(next, (int)(end - next)));
            *next++ = 0;
        }

        _pointers[strings.Count] = null;
    }

    public byte** Pointers => _pointers;

    public void Dispose() => NativeMemory.Free(_pointers);
}
