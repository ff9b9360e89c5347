namespace DonkeyWork.CodeSandbox.Server;

/// <summary>Something that runs beside the requests, at most once, and is waited for at the end.</summary>
internal sealed class BackgroundTask(Func<Task> run)
{
    private Task _completion = Task.CompletedTask;

    /// <summary>Its end; complete when it was never started.</summary>
    public Task Completion => _completion;

    /// <summary>Starts it. Once.</summary>
    public void Start() => _completion = Task.Run(run);
}
