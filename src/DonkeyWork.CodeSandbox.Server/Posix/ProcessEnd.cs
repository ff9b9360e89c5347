namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>How a command ended and what it took.</summary>
/// <param name="Status">Its wait status.</param>
/// <param name="CpuMilliseconds">
/// CPU time: in a cgroup of everything that was in it, below a reaper of everything that had been reaped by then;
/// <see langword="null"/> where it is not known.
/// </param>
/// <param name="PeakMemoryBytes">
/// The largest resident set of any one process of it that was waited for, the command's own among them;
/// <see langword="null"/> where that is not known: in a cgroup below what the executor itself once had, for until its exec a
/// command shares the executor's memory and is charged with it (getrusage(2), execve(2)).
/// </param>
internal readonly record struct ProcessEnd(WaitStatus Status, long? CpuMilliseconds = null, long? PeakMemoryBytes = null);
