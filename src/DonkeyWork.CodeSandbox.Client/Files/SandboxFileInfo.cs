using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>A file or directory of a sandbox, links followed.</summary>
public sealed record SandboxFileInfo
{
    /// <summary>The path that was asked for.</summary>
    public required string Path { get; init; }

    /// <summary><see cref="FileEntryType.File"/> or <see cref="FileEntryType.Directory"/>.</summary>
    public required FileEntryType Type { get; init; }

    /// <summary>Bytes, of a file.</summary>
    public long? Size { get; init; }

    /// <summary>The permission bits in octal, such as <c>0644</c>.</summary>
    public string? Mode { get; init; }

    /// <summary>When its content last changed, to the second.</summary>
    public DateTimeOffset? ModifiedAt { get; init; }

    /// <summary>Of a file: changes with its content; for <see cref="WriteOptions.IfMatch"/>.</summary>
    public string? ETag { get; init; }
}
