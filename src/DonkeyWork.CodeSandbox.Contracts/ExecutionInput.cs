namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>The answer of <c>POST …/stdin</c>, once all of the body is in the pipe.</summary>
public sealed record StdinResult
{
    /// <summary>How many bytes of standard input were taken so far.</summary>
    public required long Offset { get; init; }
}

/// <summary>The body of <c>POST …/signal</c>.</summary>
public sealed record SignalRequest
{
    /// <summary>Its name, such as <c>SIGINT</c>; it goes to the execution's process group.</summary>
    public string? Signal { get; init; }
}

/// <summary>A text frame of a terminal: <c>{"type":"resize","payload":{"cols":120,"rows":40}}</c>, also without <c>payload</c>.</summary>
public sealed record TerminalMessage
{
    /// <summary>The one <see cref="Type"/>; any other text is input.</summary>
    public const string Resize = "resize";

    /// <summary>What it asks for.</summary>
    public string? Type { get; init; }

    /// <summary>The new size.</summary>
    public TerminalSize? Payload { get; init; }

    /// <summary>Columns, where there is no payload.</summary>
    public int? Cols { get; init; }

    /// <summary>Rows, where there is no payload.</summary>
    public int? Rows { get; init; }
}
