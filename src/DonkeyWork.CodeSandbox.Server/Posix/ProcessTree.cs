namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>A command and everything that came of it, however far it tried to get away.</summary>
internal abstract class ProcessTree
{
    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The command's own pid.</summary>
    public int Pid { get; protected set; }

    /// <summary>The command's wait status (wait(2)), when it has ended. Its children may live on.</summary>
    public Task<int> Exited => _exited.Task;

    /// <summary>Kills all of it. Returns when nothing of it can start anything any more.</summary>
    public abstract void Kill();

    /// <summary>Called when nobody will kill the tree any more.</summary>
    public abstract void Release();

    /// <summary>Tells how the command ended; later calls change nothing.</summary>
    protected void SetExited(int status) => _exited.TrySetResult(status);
}

/// <summary>Starts commands as trees that can be killed.</summary>
internal interface IProcessTreeFactory
{
    /// <summary>Starts a command whose output goes into the two pipes.</summary>
    /// <exception cref="StartFailedException">It does not run.</exception>
    Task<ProcessTree> StartAsync(ProcessStart start, OutputPipe output, OutputPipe error);

    /// <summary>Kills every tree there is, released ones too.</summary>
    void KillAll();
}
