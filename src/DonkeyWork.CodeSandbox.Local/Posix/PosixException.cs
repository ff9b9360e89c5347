using System.Runtime.InteropServices;

namespace DonkeyWork.CodeSandbox.Local.Posix;

/// <summary>A call of the kernel has failed.</summary>
internal sealed class PosixException(int error, string what) : IOException($"{what}: {Marshal.GetPInvokeErrorMessage(error)}")
{
    /// <summary>The errno.</summary>
    public int Error { get; } = error;

    /// <summary>Of the last call on this thread.</summary>
    public static PosixException Last(string what) => new(Marshal.GetLastPInvokeError(), what);
}
