namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>A command that prints numbered lines, a thousand a second, and the judgement of what arrived of them.</summary>
/// <param name="Seconds">For how long.</param>
public sealed record NumberedLines(int Seconds)
{
    public const int PerSecond = 1000;

    /// <summary>What it ends with.</summary>
    public const int ExitCode = 7;

    /// <summary>One write a line, each at its time.</summary>
    public string Command => $"""
        exec python3 -c '
        import os, sys, time
        begun = time.monotonic()
        for i in range({Seconds * PerSecond}):
            ahead = begun + i / {PerSecond} - time.monotonic()
            if ahead > 0: time.sleep(ahead)
            os.write(1, b"line %d\n" % i)
        sys.exit({ExitCode})'
        """;

    private IEnumerable<string> Lines => Enumerable.Range(0, Seconds * PerSecond).Select(i => $"line {i}");

    /// <summary>Where what arrived departs from every line once and in order; <see langword="null"/>: nowhere.</summary>
    public string? FaultIn(string arrived)
    {
        if (arrived == string.Concat(Lines.Select(line => $"{line}\n"))) return null;
        var lines = arrived.Split('\n');
        var (index, (was, expected)) = lines.Zip(Lines.Append("")).Index().FirstOrDefault(pair => pair.Item.First != pair.Item.Second);
        return $"{lines.Length - 1} lines of {Seconds * PerSecond}; at {index}: \"{was}\" for \"{expected}\"";
    }
}
