using System.Runtime.InteropServices;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary><c>struct cs_usage</c> of Native/codesandbox.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ChildUsage
{
    public long CpuMicroseconds;
    public long PeakMemoryBytes;
}
