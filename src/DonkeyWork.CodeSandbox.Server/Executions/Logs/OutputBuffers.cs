using System.Collections.Concurrent;

namespace DonkeyWork.CodeSandbox.Server.Executions.Logs;

/// <summary>Buffers for whoever is at work just now; who waits gives his back.</summary>
internal static class OutputBuffers
{
    /// <summary>64 KiB, and room for the header of a record or frame.</summary>
    public const int Bytes = (64 * 1024) + 64;

    private const int MaxIdle = 16;

    private static readonly ConcurrentQueue<byte[]> Idle = [];

    public static byte[] Rent() => Idle.TryDequeue(out var buffer) ? buffer : new byte[Bytes];

    public static void Return(byte[] buffer)
    {
        if (Idle.Count < MaxIdle)
            Idle.Enqueue(buffer);
    }
}
