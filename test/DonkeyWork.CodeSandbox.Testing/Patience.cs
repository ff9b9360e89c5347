namespace DonkeyWork.CodeSandbox.Testing;

/// <summary>
/// The one timeout of all waits in tests: how long what must happen may take, on a busy machine, before it counts as not
/// happening. Never a measure of speed.
/// </summary>
public static class Patience
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    /// <summary>Waits until something that no event tells (the kernel's tables) is so, and says what was not.</summary>
    public static Task UntilAsync(Func<bool> condition, Func<string> otherwise) =>
        UntilAsync(() => Task.FromResult(condition()), otherwise);

    /// <inheritdoc cref="UntilAsync(Func{bool}, Func{string})"/>
    public static async Task UntilAsync(Func<Task<bool>> condition, Func<string> otherwise)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var waited = System.Diagnostics.Stopwatch.StartNew();
        while (!await condition())
        {
            if (waited.Elapsed > Limit)
            {
                throw new TimeoutException(otherwise());
            }

            await tick.WaitForNextTickAsync();
        }
    }
}
