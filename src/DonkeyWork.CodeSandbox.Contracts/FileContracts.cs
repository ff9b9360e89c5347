using System.Text.Json.Serialization;

namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>One entry of <c>GET …/files/list</c>, whose answer is an array of them.</summary>
public sealed record FileEntry
{
    /// <summary>Its name; bytes that are not UTF-8 are U+FFFD, and <see cref="Addressable"/> says so.</summary>
    public required string Name { get; init; }

    /// <summary>Its absolute path.</summary>
    public required string Path { get; init; }

    /// <summary>What it is.</summary>
    public required FileEntryType Type { get; init; }

    /// <summary>Bytes, of a file.</summary>
    public long? Size { get; init; }

    /// <summary>The permission bits in octal, such as <c>0644</c>.</summary>
    public required string Mode { get; init; }

    /// <summary>The owner's user id inside the sandbox.</summary>
    public required long Owner { get; init; }

    /// <summary>When its content last changed.</summary>
    public required DateTimeOffset ModifiedAt { get; init; }

    /// <summary>Where a symbolic link points, as it is written.</summary>
    public string? Target { get; init; }

    /// <summary><see langword="false"/> where the name is not UTF-8, so that no path names it.</summary>
    public bool? Addressable { get; init; }
}

/// <summary>What a directory entry is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FileEntryType>))]
public enum FileEntryType
{
    /// <summary>A regular file.</summary>
    [JsonStringEnumMemberName("file")] File,

    /// <summary>A directory.</summary>
    [JsonStringEnumMemberName("directory")] Directory,

    /// <summary>A symbolic link.</summary>
    [JsonStringEnumMemberName("symlink")] Symlink,

    /// <summary>A device, pipe or socket: nothing that can be read here.</summary>
    [JsonStringEnumMemberName("other")] Other,
}

/// <summary>The body of <c>POST …/files/move</c>.</summary>
public sealed record MoveFileRequest
{
    /// <summary>What is moved; absolute, or relative to the home directory.</summary>
    public string? From { get; init; }

    /// <summary>Its new path.</summary>
    public string? To { get; init; }

    /// <summary>Whether a file that is there already is replaced.</summary>
    public bool? Overwrite { get; init; }
}

/// <summary>The body of <c>POST …/files/directory</c>.</summary>
public sealed record MakeDirectoryRequest
{
    /// <summary>What is made, with its parents; one that is there already is fine.</summary>
    public string? Path { get; init; }
}

/// <summary>An event of <c>GET …/files/watch</c>: <c>data: {json}</c>.</summary>
public sealed record FileChange
{
    /// <summary>What happened.</summary>
    public required FileChangeType Type { get; init; }

    /// <summary>The absolute path it happened to; of <c>overflow</c> the path that is watched.</summary>
    public required string Path { get; init; }

    /// <summary>Of <c>renamed</c>: the path before.</summary>
    public string? From { get; init; }
}

/// <summary>What happened to a file.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FileChangeType>))]
public enum FileChangeType
{
    /// <summary>It is new.</summary>
    [JsonStringEnumMemberName("created")] Created,

    /// <summary>Its content or mode has changed.</summary>
    [JsonStringEnumMemberName("modified")] Modified,

    /// <summary>It is gone.</summary>
    [JsonStringEnumMemberName("deleted")] Deleted,

    /// <summary>It was <see cref="FileChange.From"/> before.</summary>
    [JsonStringEnumMemberName("renamed")] Renamed,

    /// <summary>Changes were lost: look at everything again.</summary>
    [JsonStringEnumMemberName("overflow")] Overflow,
}
