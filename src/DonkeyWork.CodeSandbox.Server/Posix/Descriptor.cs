using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>A non-blocking descriptor of ours and the one who waits for it.</summary>
internal sealed class Descriptor : IDisposable
{
    private readonly uint _events;
    private readonly Lock _gate = new();
    private readonly long _key;
    private TaskCompletionSource? _waiter;
    private bool _isArmed;
    private bool _isDisposed;

    /// <param name="handle">Owned.</param>
    /// <param name="events">What is waited for: <c>EPOLLIN</c> or <c>EPOLLOUT</c>.</param>
    public Descriptor(SafeFileHandle handle, uint events)
    {
        Handle = handle;
        _events = events;
        _key = Readiness.Shared.Register(() => Interlocked.Exchange(ref _waiter, null)?.TrySetResult());
    }

    /// <summary>For system calls: a closed one throws, one in use is closed afterwards.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Waits until a call need not wait, or a little less. One at a time.</summary>
    /// <exception cref="OperationCanceledException">Nothing was done.</exception>
    /// <exception cref="ObjectDisposedException">It is closed, or was meanwhile.</exception>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _waiter = waiter;
            Readiness.Shared.Arm(_key, Handle, _events, first: !_isArmed);
            _isArmed = true;
        }

        await using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), waiter);
        await waiter.Task;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            Readiness.Shared.Remove(_key, _isArmed ? Handle : null);
        }

        Interlocked.Exchange(ref _waiter, null)?.TrySetException(new ObjectDisposedException(nameof(Descriptor)));
        Handle.Dispose();
    }
}
