using System.Buffers;
using Microsoft.AspNetCore.Connections;

namespace DonkeyWork.CodeSandbox.Manager.Relaying;

/// <summary>
/// What connections read into and send from: large pieces, and only while there are bytes. In Kestrel's own of 4 KiB each a file
/// arrives in as many reads, and wakes its relay as often.
/// </summary>
internal sealed class ConnectionMemory : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    private const int PieceBytes = 64 * 1024;

    public override int MaxBufferSize => PieceBytes;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1) => Shared.Rent(PieceBytes);

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    protected override void Dispose(bool disposing)
    {
        // Nothing is kept here.
    }
}
