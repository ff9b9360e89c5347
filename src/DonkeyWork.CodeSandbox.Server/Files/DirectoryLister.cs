using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Http;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary><c>GET /api/files/list</c>: a JSON array that is sent while the directory is read, whatever its size.</summary>
internal sealed class DirectoryLister(SandboxPath paths)
{
    private const int MaxDepth = 64;
    private const int FlushBytes = 16 * 1024;

    /// <summary>Sends the entries in no order; what is below a directory comes right behind it.</summary>
    public async Task ListAsync(HttpContext context)
    {
        var depth = ReadDepth(context.Request.Query["depth"]);
        using var place = paths.Resolve(context.Request.Query["path"]);
        using var walk = new TreeWalk(OpenDirectory(place));
        var top = Encoding.UTF8.GetString(place.Path);
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-cache";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        long sent = 0;
        json.WriteStartArray();
        for (var step = walk.Next(); step != WalkStep.End; step = walk.Next())
        {
            if (step == WalkStep.Left || !TryDescribe(walk, top, out var entry))
                continue;
            JsonSerializer.Serialize(json, entry, ContractsJsonContext.Default.FileEntry);
            // One that cannot be read has no entries here, as with any program.
            if (entry.Type == FileEntryType.Directory && walk.Depth < depth)
                _ = walk.TryEnter();
            // Each Serialize commits what it wrote to the response, which nobody sends for it.
            if (json.BytesCommitted + json.BytesPending - sent < FlushBytes)
                continue;
            json.Flush();
            sent = json.BytesCommitted;
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            context.RequestAborted.ThrowIfCancellationRequested();
            // A quick reader leaves the others a thread too.
            await Task.Yield();
        }

        json.WriteEndArray();
        json.Flush();
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private static Microsoft.Win32.SafeHandles.SafeFileHandle OpenDirectory(Place place)
    {
        if (place.Status is { Type: FileEntryType.File })
            throw new FileSystemException(FileError.ENOTDIR);
        var directory = place.OpenToRead(out var status);
        if (status.Type == FileEntryType.Directory)
            return directory;
        directory.Dispose();
        throw new FileSystemException(FileError.ENOTDIR);
    }

    private static bool TryDescribe(TreeWalk walk, string top, out FileEntry entry)
    {
        entry = null!;
        if (FileSystem.TryGetStatus(walk.Directory, walk.Name, out var status) != 0)
            return false;
        var path = walk.Path;
        entry = new FileEntry
        {
            Name = Encoding.UTF8.GetString(walk.Name),
            Path = $"{top}/{Encoding.UTF8.GetString(path)}",
            Type = status.Type,
            Size = status.Type == FileEntryType.File ? status.Size : null,
            Mode = status.ModeText,
            Owner = status.Owner,
            ModifiedAt = status.Modified.Nearest,
            Target = status.Type == FileEntryType.Symlink && FileSystem.TryReadLink(walk.Directory, walk.Name, out var target) == 0
                ? Encoding.UTF8.GetString(target)
                : null,
            Addressable = Utf8.IsValid(path) ? null : false,
        };
        return true;
    }

    private static int ReadDepth(string? text) =>
        string.IsNullOrEmpty(text) ? 1
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var depth) && depth is >= 1 and <= MaxDepth ? depth
        : throw Json.InvalidFields(new() { ["depth"] = [$"must be from 1 to {MaxDepth}"] });
}
