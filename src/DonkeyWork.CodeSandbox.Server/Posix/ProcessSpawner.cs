namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>Turns a <see cref="ProcessStart"/> into a running child.</summary>
/// <param name="children">Makes and reaps it.</param>
/// <param name="tasksLimit">RLIMIT_NPROC of commands, where they get one.</param>
internal sealed class ProcessSpawner(ChildReaper children, int? tasksLimit)
{
    /// <summary>Starts a process in a session of its own, and closes nothing.</summary>
    /// <param name="start">What to start.</param>
    /// <param name="channels">Its descriptors 0 to 2.</param>
    /// <param name="status">Its descriptor 3, or -1.</param>
    /// <param name="cgroupProcs">The cgroup.procs that it writes itself into first, or -1.</param>
    /// <param name="takesTerminal">Whether its descriptor 0 becomes its controlling terminal.</param>
    /// <param name="onExit">Called once, on the reaper's thread.</param>
    /// <returns>The pid.</returns>
    /// <exception cref="StartFailedException">It does not run.</exception>
    public unsafe int Start(
        ProcessStart start, ProcessChannels channels, int status, int cgroupProcs, bool takesTerminal, Action<ProcessEnd> onExit)
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
            Input = channels.ChildInput,
            Output = channels.ChildOutput,
            Error = channels.ChildError,
            Status = status,
            CgroupProcs = cgroupProcs,
            TakesTerminal = takesTerminal ? 1 : 0,
            TasksLimit = tasksLimit ?? -1,
        };
        return children.Start(in request, onExit);
    }
}
