using System.Formats.Tar;
using DonkeyWork.CodeSandbox.Client.Streaming;

namespace DonkeyWork.CodeSandbox.Client.Files;

/// <summary>
/// Unpacks an archive that a sandbox has made, which may say anything. Each name is taken apart, and each directory on the way
/// looked at: one that is a link is not gone through. Links are made last, so that nothing can be written through them.
/// </summary>
internal sealed class ArchiveExtraction(string destination, DirectoryDownloadOptions options)
{
    // The longest names take a few KiB. The framework keeps whatever is announced as one.
    private const int MaxHeaderBytes = 1024 * 1024;

    private readonly string _root = Path.GetFullPath(destination);
    private readonly List<(string[] Name, string Target)> _links = [];
    private readonly List<string> _skipped = [];
    private TransferProgress _done;

    public async Task<DirectoryDownload> RunAsync(Stream archive, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(_root);
        var bounded = new BoundedStream(archive, () => new BadArchiveException($"The directory is larger than {options.MaxBytes} bytes."))
        {
            Left = options.MaxBytes ?? long.MaxValue,
        };
        var entries = new BoundedStream(bounded, () => new BadArchiveException("The sandbox sent the name of a file that is none."))
        {
            Left = 0,
        };
        var reader = new TarReader(entries, leaveOpen: true);
        await using (reader.ConfigureAwait(false))
        {
            while (await NextAsync(reader, entries, cancellationToken).ConfigureAwait(false) is { } entry)
                await TakeAsync(entry, cancellationToken).ConfigureAwait(false);
        }

        // The end of the archive is not that of the response, and only that one says that nothing was cut off.
        await bounded.CopyToAsync(Stream.Null, cancellationToken).ConfigureAwait(false);
        foreach (var (name, target) in _links)
            Link(name, target);
        return new DirectoryDownload { Files = _done.Files, Bytes = _done.Bytes, SkippedLinks = _skipped };
    }

    private static async ValueTask<TarEntry?> NextAsync(TarReader reader, BoundedStream entries, CancellationToken cancellationToken)
    {
        try
        {
            entries.Left = MaxHeaderBytes;
            var entry = await reader.GetNextEntryAsync(copyData: false, cancellationToken).ConfigureAwait(false);
            entries.Left = long.MaxValue;
            return entry;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or ArgumentException or OverflowException
            // A header that is announced as longer than an array, or than memory.
            or InvalidOperationException or OutOfMemoryException)
        {
            throw new BadArchiveException($"The sandbox sent what is no archive: {e.Message}");
        }
    }

    private async Task TakeAsync(TarEntry entry, CancellationToken cancellationToken)
    {
        switch (entry.EntryType)
        {
            case TarEntryType.Directory:
                MakeDirectory(Parts(entry.Name));
                break;
            case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                var name = Parts(entry.Name);
                var last = RequireName(name);
                var path = Path.Combine(MakeDirectory(name[..^1]), last);
                await LocalFile.WriteAsync(
                    path,
                    async (file, token) =>
                    {
                        if (entry.DataStream is { } data)
                            await CopyAsync(data, file, token).ConfigureAwait(false);
                    },
                    cancellationToken,
                    // Set-id bits are nobody's to bring.
                    entry.Mode & (UnixFileMode)0x1FF).ConfigureAwait(false);
                _done = new TransferProgress(_done.Files + 1, _done.Bytes + entry.Length);
                options.Progress?.Report(_done);
                break;
            case TarEntryType.SymbolicLink:
                _links.Add((Parts(entry.Name), entry.LinkName));
                break;
            case TarEntryType.HardLink:
                _skipped.Add(entry.Name);
                break;
            case TarEntryType.GlobalExtendedAttributes:
                break;
            default:
                throw new BadArchiveException($"The sandbox sent an entry that may not be: {entry.EntryType}.");
        }
    }

    private static async Task CopyAsync(Stream data, Stream file, CancellationToken cancellationToken)
    {
        try
        {
            await data.CopyToAsync(file, cancellationToken).ConfigureAwait(false);
        }
        catch (EndOfStreamException e)
        {
            throw new BadArchiveException($"The sandbox sent what is no archive: {e.Message}");
        }
    }

    private static string[] Parts(string name)
    {
        string[] parts = [.. name.Split('/').Where(p => p is not ("" or "."))];
        return !name.StartsWith('/') && parts.All(IsName)
            ? parts
            : throw new BadArchiveException("The sandbox sent a name that leaves the directory, or is none on this machine.");
    }

    private static bool IsName(string part) => part != ".." && part.AsSpan().IndexOfAny(Path.GetInvalidFileNameChars()) < 0;

    private static string RequireName(string[] parts) =>
        parts.Length > 0 ? parts[^1] : throw new BadArchiveException("The sandbox sent a file without a name.");

    private string MakeDirectory(string[] parts) =>
        TryDirectory(parts, make: true) ?? throw new BadArchiveException("The sandbox sent a name that goes through a link, or a file, that is there.");

    /// <summary>The path of a directory, or <see langword="null"/> where a part of it is not one itself.</summary>
    private string? TryDirectory(string[] parts, bool make)
    {
        var path = _root;
        foreach (var part in parts)
        {
            path = Path.Combine(path, part);
            var info = new FileInfo(path);
            if (info.LinkTarget is not null || info.Exists)
                return null;
            if (make)
                Directory.CreateDirectory(path);
            else if (!Directory.Exists(path))
                return null;
        }

        return path;
    }

    private void Link(string[] name, string target)
    {
        if (name.Length == 0 || !StaysInside(name, target) || TryDirectory(name[..^1], make: true) is not { } directory || !TryLink(Path.Combine(directory, name[^1]), target))
            _skipped.Add(string.Join('/', name));
    }

    /// <summary>
    /// Whether a link leads nowhere outside. <c>..</c> may only stand before names: behind one that is a link it would lead out of
    /// wherever that one leads to.
    /// </summary>
    private static bool StaysInside(string[] name, string target)
    {
        if (target.Length == 0 || target.StartsWith('/'))
            return false;
        string[] parts = [.. target.Split('/').Where(p => p is not ("" or "."))];
        var up = parts.TakeWhile(p => p == "..").Count();
        return up < name.Length && parts[up..].All(IsName);
    }

    private static bool TryLink(string path, string target)
    {
        if (Directory.Exists(path) && new FileInfo(path).LinkTarget is null)
            return false;
        try
        {
            File.Delete(path);
            File.CreateSymbolicLink(path, target);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException && OperatingSystem.IsWindows())
        {
            // Only some users may make links there.
            return false;
        }
    }
}
