using DonkeyWork.CodeSandbox.Server.Posix;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>
/// How often the kernel killed for want of memory in this sandbox: the line <c>oom_kill N</c> of cgroup v2's
/// <c>memory.events</c> or v1's <c>memory.oom_control</c>.
/// </summary>
/// <param name="descriptor">That file, or <see langword="null"/>: then nothing is ever known to be killed so.</param>
internal sealed class OomCounter(int? descriptor)
{
    private const int MaxFileBytes = 1024;

    /// <summary>The count; 0 where there is no file.</summary>
    /// <exception cref="IOException">The file is not of either kind.</exception>
    public long Read()
    {
        if (descriptor is not { } file)
            return 0;
        Span<byte> text = stackalloc byte[MaxFileBytes];
        var length = Native.ReadAt(file, text, text.Length, 0);
        return length > 0 && Parse(text[..(int)length]) is { } count
            ? count
            : throw new IOException("The file given with --oom-events has no line 'oom_kill N'.");
    }

    /// <summary>The count in such a file, or <see langword="null"/> where it has none.</summary>
    public static long? Parse(ReadOnlySpan<byte> text) => CounterFile.Find(text, "oom_kill"u8);
}
