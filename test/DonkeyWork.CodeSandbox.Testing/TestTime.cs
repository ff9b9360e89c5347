namespace DonkeyWork.CodeSandbox.Testing;

/// <summary>The one timeout of all waits in tests: long enough for a busy machine, short enough to notice a hang.</summary>
public static class TestTime
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
}
