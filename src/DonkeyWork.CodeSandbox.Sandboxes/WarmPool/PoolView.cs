namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>The pool as the registry has it at one moment.</summary>
/// <param name="sandboxes">Those that nobody has claimed, in whatever state.</param>
/// <param name="asked">How many more were asked for here and have not been seen yet.</param>
/// <param name="departures">How many times any sandbox has gone, or begun to go: each may have left room.</param>
internal sealed class PoolView(IReadOnlyList<Sandbox> sandboxes, int asked, long departures)
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<Sandbox> Sandboxes => sandboxes;

    public int Asked => asked;

    public long Departures => departures;

    /// <summary>Ends when this is no longer so, or room for another sandbox may have been left.</summary>
    public Task Change => _end.Task;

    public void End() => _end.TrySetResult();
}
