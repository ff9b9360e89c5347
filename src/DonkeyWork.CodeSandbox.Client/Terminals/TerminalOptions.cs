namespace DonkeyWork.CodeSandbox.Client;

/// <summary>What a terminal is to be. Everything is optional.</summary>
public sealed record TerminalOptions
{
    /// <summary>
    /// Its name, as <see cref="StartOptions.Id"/>: one that has a name is there again after its connection broke, for 60 s, and can be
    /// attached to by others. Without one it ends with its connection.
    /// </summary>
    public string? Id { get; init; }

    /// <summary>Given to <c>/bin/bash -c</c>. Default: a login shell in the user's home.</summary>
    public string? Command { get; init; }

    /// <summary>Its width in characters, 1 to 65,535. Default 80, or what a terminal that is there already has.</summary>
    public int? Columns { get; init; }

    /// <summary>Its height in characters, 1 to 65,535. Default 24, or what a terminal that is there already has.</summary>
    public int? Rows { get; init; }
}
