namespace DonkeyWork.CodeSandbox.Client.Tests.Wire;

/// <summary>The one limit on waiting for a signal: only a failing test ever takes that long.</summary>
internal static class Patience
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static Task OrFail(this Task signal) => signal.WaitAsync(Limit, TimeProvider.System);

    public static Task<T> OrFail<T>(this Task<T> signal) => signal.WaitAsync(Limit, TimeProvider.System);
}
