using System.Buffers;

namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>
/// Notices, on the connection itself, that an executor has refused a request whose body is still being sent.
/// <see cref="SocketsHttpHandler"/> gives out no answer before the whole body is sent, and an executor that has answered
/// reads no more of it: the answer would be lost with the connection. So from then on nothing more is sent, and
/// <see cref="RelayedBody"/> is told to end.
/// </summary>
internal sealed class EarlyAnswer : IDisposable
{
    private const int MaxHeadBytes = 16 * 1024;

    // Where the status begins in "HTTP/1.1 409 Conflict".
    private const int StatusAt = 9;

    // An answer that was sent before the connection broke has arrived before that, too; it may not have been read yet.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);
    private static readonly AsyncLocal<EarlyAnswer?> Flow = new();

    private readonly CancellationTokenSource _given = new();
    private readonly TimeProvider _clock;
    private readonly ArrayBufferWriter<byte> _head = new();
    private int _start;
    private bool _isOver;

    /// <summary>One for the request that is sent next in this flow of control.</summary>
    public EarlyAnswer(TimeProvider clock)
    {
        _clock = clock;
        Given = _given.Token;
        Flow.Value = this;
    }

    /// <summary>The one of the request that is being sent in this flow of control.</summary>
    public static EarlyAnswer? Current => Flow.Value;

    /// <summary>Cancelled once the executor has refused.</summary>
    public CancellationToken Given { get; }

    /// <summary>Writes to the connection what is still of use there.</summary>
    public async ValueTask WriteAsync(Stream connection, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (Given.IsCancellationRequested) return;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(Given, cancellationToken);
        try
        {
            await connection.WriteAsync(bytes, either.Token);
        }
        catch (OperationCanceledException) when (Given.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // Some of it may have gone out. The connection carries no other request.
        }
        catch (IOException)
        {
            await Task.Delay(Grace, _clock, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!Given.IsCancellationRequested) throw;
        }
    }

    /// <summary>Looks at what was read from the connection.</summary>
    public void Saw(ReadOnlySpan<byte> bytes)
    {
        if (_isOver) return;
        _head.Write(bytes);
        while (_head.WrittenSpan[_start..] is { Length: > StatusAt } head)
        {
            if (head[StatusAt] != (byte)'1')
            {
                _isOver = true;
                if (head[StatusAt] > (byte)'2') _given.Cancel();
                return;
            }

            // Not the answer yet (RFC 9110, 15.2).
            if (head.IndexOf("\r\n\r\n"u8) is >= 0 and var end) _start += end + 4;
            else break;
        }

        _isOver = _head.WrittenCount > MaxHeadBytes;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isOver = true;
        if (Flow.Value == this) Flow.Value = null;
        _given.Dispose();
    }
}
