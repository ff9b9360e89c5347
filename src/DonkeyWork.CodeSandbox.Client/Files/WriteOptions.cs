namespace DonkeyWork.CodeSandbox.Client;

/// <summary>Conditions of a write. Without any it makes the file, or replaces what is there.</summary>
public sealed record WriteOptions
{
    /// <summary>
    /// Writes only where the file is still the one that <see cref="SandboxFileInfo.ETag"/> says, else
    /// <see cref="SandboxFileChangedException"/>.
    /// </summary>
    public string? IfMatch { get; init; }

    /// <summary>Writes only where there is nothing yet, else <see cref="SandboxFileChangedException"/>.</summary>
    public bool CreateNew { get; init; }

    /// <summary>Told of the bytes sent so far. Where a connection broke and all is sent again, they begin anew.</summary>
    public IProgress<long>? Progress { get; init; }
}
