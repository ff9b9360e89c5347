namespace DonkeyWork.CodeSandbox.Client;

/// <summary>How far a directory has come. Where a connection broke and it is begun again, so do the numbers.</summary>
/// <param name="Files">Files that are through.</param>
/// <param name="Bytes">Their bytes.</param>
public readonly record struct TransferProgress(long Files, long Bytes);

/// <summary>What came of a download of a directory.</summary>
public sealed record DirectoryDownload
{
    /// <summary>Files written.</summary>
    public required long Files { get; init; }

    /// <summary>Their bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>
    /// Links that were left out, by their paths in the directory: hard links, those that point out of it, and all where this machine
    /// cannot make links.
    /// </summary>
    public required IReadOnlyList<string> SkippedLinks { get; init; }
}

/// <summary>Bounds of a download of a directory, whose content is the sandbox's to say.</summary>
public sealed record DirectoryDownloadOptions
{
    /// <summary>The most bytes that are taken, archive headers included; more is a <see cref="BadArchiveException"/>. Default: no bound.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>Told after each file.</summary>
    public IProgress<TransferProgress>? Progress { get; init; }
}
