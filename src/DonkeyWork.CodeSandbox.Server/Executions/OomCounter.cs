using DonkeyWork.CodeSandbox.Server.Posix;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>
/// How often the kernel killed for want of memory in this sandbox: the line <c>oom_kill N</c> of cgroup v2's
/// <c>memory.events</c> or v1's <c>memory.oom_control</c>.
/// </summary>
/// <param name="file">That file, or <see langword="null"/>: then nothing is ever known to be killed so.</param>
internal sealed class OomCounter(SafeFileHandle? file)
{
    /// <summary>The count; 0 where there is no file.</summary>
    /// <exception cref="IOException">The file is not of either kind.</exception>
    public long Read()
    {
        return file is null ? 0
            : CounterFile.Read(file, Line) ?? throw new IOException("The file given with --oom-events has no line 'oom_kill N'.");
    }

    private static ReadOnlySpan<byte> Line => "oom_kill"u8;

    /// <summary>The count in such a file, or <see langword="null"/> where it has none.</summary>
    public static long? Parse(ReadOnlySpan<byte> text) => CounterFile.Find(text, Line);
}
