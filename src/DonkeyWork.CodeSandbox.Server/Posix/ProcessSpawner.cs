namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>Turns a <see cref="ProcessStart"/> into a running child.</summary>
/// <param name="children">Makes and reaps it.</param>
/// <param name="tasksLimit">RLIMIT_NPROC of commands, where they get one.</param>
internal sealed class ProcessSpawner(ChildReaper children, int? tasksLimit)
{
    /// <summary>
    /// Starts a process in a session of its own. <paramref name="onExit"/> is given its wait status (wait(2)) on the reaper's
    /// thread.
    /// </summary>
    /// <param name="start">What to start.</param>
    /// <param name="output">Its standard output.</param>
    /// <param name="error">Its standard error.</param>
    /// <param name="status">Its descriptor 3, or -1.</param>
    /// <param name="cgroupProcs">The cgroup.procs that it writes itself into first, or -1.</param>
    /// <param name="onExit">Called once.</param>
    /// <returns>The pid.</returns>
    /// <exception cref="StartFailedException">It does not run.</exception>
    public unsafe int Start(ProcessStart start, int output, int error, int status, int cgroupProcs, Action<int> onExit)
    {
        using var path = new NativeStrings([start.Path, start.Directory]);
        using var arguments = new NativeStrings(start.Arguments);
        using var environment = new NativeStrings([.. start.Environment.Select(pair => $"{pair.Key}={pair.Value}")]);
        var request = new SpawnRequest
        {
            Path = path.Pointers[0],
            Directory = start.Directory.Length == 0 ? null : path.Pointers[1],
            Arguments = arguments.Pointers,
            Environment = environment.Pointers,
            Output = output,
            Error = error,
            Status = status,
            CgroupProcs = cgroupProcs,
            TasksLimit = tasksLimit ?? -1,
        };
        return children.Start(in request, onExit);
    }
}
