using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary><c>struct epoll_event</c>: packed on x86-64 alone (sys/epoll.h).</summary>
[InlineArray(Capacity)]
internal struct EpollEvent
{
    private const int Capacity = 16;

    public static readonly int Size = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : Capacity;

#pragma warning disable IDE0044, IDE0051 // The elements.
    private byte _first;
#pragma warning restore IDE0044, IDE0051

    public EpollEvent(uint events, long key)
    {
        Unsafe.WriteUnaligned(ref this[0], events);
        Unsafe.WriteUnaligned(ref this[Size - sizeof(long)], key);
    }

    /// <summary>The key in one that the kernel wrote.</summary>
    public static unsafe long KeyOf(byte* written) => Unsafe.ReadUnaligned<long>(written + Size - sizeof(long));
}
