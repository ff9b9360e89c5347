using System.Buffers;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
#if NET10_0_OR_GREATER
using Microsoft.AspNetCore.Connections;
#else
using System.Runtime.CompilerServices;
#endif

namespace DonkeyWork.CodeSandbox.Server;

/// <summary>
/// What connections read into and send from: large pieces, and only while there are bytes. In Kestrel's own of 4 KiB each a file
/// arrives in as many reads, and wakes its writer as often.
/// </summary>
internal sealed class ConnectionMemory : MemoryPool<byte>
#if NET10_0_OR_GREATER
    , IMemoryPoolFactory<byte>
#endif
{
    /// <summary>How large a piece is.</summary>
    public const int PieceBytes = 32 * 1024;

    public override int MaxBufferSize => PieceBytes;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1) => Shared.Rent(PieceBytes);

    /// <summary>Makes all connections use it.</summary>
    public static void Register(IServiceCollection services)
    {
#if NET10_0_OR_GREATER
        services.AddSingleton<IMemoryPoolFactory<byte>, ConnectionMemory>();
#else
        services.Configure<SocketTransportOptions>(static sockets => SetFactory(sockets, static () => new ConnectionMemory()));
#endif
    }

#if NET10_0_OR_GREATER
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;
#endif

    protected override void Dispose(bool disposing)
    {
        // Nothing is kept here.
    }

#if !NET10_0_OR_GREATER
    // There is no public way before IMemoryPoolFactory.
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_MemoryPoolFactory")]
    private static extern void SetFactory(SocketTransportOptions sockets, Func<MemoryPool<byte>> factory);
#endif
}
