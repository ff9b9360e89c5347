namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>A command and everything that came of it, however far it tried to get away.</summary>
internal abstract class ProcessTree
{
    private readonly TaskCompletionSource<ProcessEnd> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The command's own pid.</summary>
    public int Pid { get; protected set; }

    /// <summary>How the command ended, when it has. Its children may live on.</summary>
    public Task<ProcessEnd> Exited => _exited.Task;

    /// <summary>Kills all of it. Returns when nothing of it can start anything any more.</summary>
    public abstract void Kill();

    /// <summary>Sends a signal to the command's process group.</summary>
    /// <returns>Whether the command was still there; once it has ended its pid may be another's.</returns>
    public abstract bool Signal(int signal);

    /// <summary>Called when nobody will kill the tree any more.</summary>
    public abstract void Release();

    /// <summary>Tells how the command ended; later calls change nothing.</summary>
    protected void SetExited(ProcessEnd end) => _exited.TrySetResult(end);
}

/// <summary>Starts commands as trees that can be killed.</summary>
internal interface IProcessTreeFactory
{
    /// <summary>
    /// Starts a command with these channels, in a session of its own; a terminal is its controlling one. The child's ends are
    /// closed here afterwards, and the channels stay the caller's.
    /// </summary>
    /// <exception cref="StartFailedException">It does not run.</exception>
    Task<ProcessTree> StartAsync(ProcessStart start, ProcessChannels channels);

    /// <summary>Kills every tree there is, released ones too.</summary>
    void KillAll();
}
