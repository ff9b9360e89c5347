using System.IO.Pipes;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>
/// What keeps commands, which run under the executor's own uid, from reading or ending it (Native/guard.c): not dumpable
/// (no ptrace, /proc/PID/mem, environ or fd), and deaf to signals that they send.
/// </summary>
internal sealed class SelfProtection : IDisposable
{
    private readonly AnonymousPipeClientStream _quit;

    private SelfProtection(int quitDescriptor) =>
        _quit = new AnonymousPipeClientStream(PipeDirection.In, new SafePipeHandle(quitDescriptor, ownsHandle: true));

    /// <summary>Turns the guards on. Once, after the runtime's start and before the first command.</summary>
    /// <exception cref="IOException">The kernel refuses.</exception>
    public static unsafe SelfProtection Enable()
    {
        var ends = stackalloc int[2];
        if (Native.Pipe(ends, O_CLOEXEC) < 0)
            throw new IOException($"No pipe can be made: {Marshal.GetLastPInvokeErrorMessage()}");
        var error = Native.Protect(Guards.IsDisabled("dumpable") ? 0 : 1, Guards.IsDisabled("signals") ? 0 : 1, ends[1]);
        if (error != 0)
            throw new IOException($"The executor cannot protect itself: {Marshal.GetPInvokeErrorMessage(error)}");
        return new SelfProtection(ends[0]);
    }

    /// <summary>Returns when the executor is asked to end: SIGTERM or SIGINT, of PID 1 only from outside its pid namespace.</summary>
    public async Task WaitForQuitAsync(CancellationToken cancellationToken) =>
        _ = await _quit.ReadAsync(new byte[1], cancellationToken);

    public void Dispose() => _quit.Dispose();
}
