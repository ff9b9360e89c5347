namespace DonkeyWork.CodeSandbox.Server.Executions.Logs;

/// <summary>A place in a log.</summary>
/// <param name="Raw">How many bytes of records were written before it.</param>
/// <param name="Position">Its position as callers know it: 1, for the event <c>started</c>, and the bytes printed before it.</param>
/// <param name="First">How many of those bytes were standard output's, or the terminal's; the others were standard error's.</param>
internal readonly record struct LogPosition(long Raw, long Position, long First)
{
    /// <summary>Where the output begins.</summary>
    public static readonly LogPosition Origin = new(0, 1, 0);

    /// <summary>Bytes of standard error before it.</summary>
    public long Second => Position - Origin.Position - First;
}
