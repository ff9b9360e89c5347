using System.Diagnostics;
using System.Formats.Tar;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Client.Tests.Wire;

/// <summary>Plays a sandbox's files with a directory of this machine's. No guard of the real thing is here.</summary>
internal sealed class FakeFiles : IDisposable
{
    private readonly Lazy<string> _root = new(() => Directory.CreateTempSubdirectory("client-files-").FullName);

    public string Root => _root.Value;

    /// <summary>After how many bytes of a file the response is cut; asked for each one.</summary>
    public Func<long?> Cut { get; set; } = () => null;

    /// <summary>Called for each request before it is answered; what returns <c>true</c> has answered it.</summary>
    public Func<HttpContext, Task<bool>> Before { get; set; } = _ => Task.FromResult(false);

    /// <summary>Answers a directory's archive in place of the real one.</summary>
    public byte[]? Archive { get; set; }

    /// <summary>The changes that the next watches tell; each ends where there is <c>null</c>.</summary>
    public Queue<FileChangeScript> Watches { get; } = new();

    public void Dispose()
    {
        if (_root.IsValueCreated && Directory.Exists(Root))
            Directory.Delete(Root, recursive: true);
    }

    public async Task AnswerAsync(HttpContext context, string[] path)
    {
        if (await Before(context))
            return;
        var name = context.Request.Query["path"].ToString();
        var full = Path.Combine(Root, name);
        await ((context.Request.Method, path) switch
        {
            ("GET", []) => GetAsync(context, full),
            ("HEAD", []) => HeadAsync(context, full),
            ("PUT", []) => PutAsync(context, full),
            ("DELETE", []) => DeleteAsync(context, full),
            ("GET", ["list"]) => ListAsync(context, full),
            ("GET", ["watch"]) => WatchAsync(context),
            ("POST", ["move"]) => MoveAsync(context),
            ("POST", ["directory"]) => MakeDirectoryAsync(context),
            _ => Sse.ProblemAsync(context, 405, "method_not_allowed"),
        });
    }

    private async Task GetAsync(HttpContext context, string path)
    {
        if (Directory.Exists(path))
        {
            if (context.Request.Headers.Accept != "application/x-tar")
            {
                await Sse.ProblemAsync(context, 409, "is_a_directory");
                return;
            }

            using var archive = new MemoryStream();
            await TarFile.CreateFromDirectoryAsync(path, archive, includeBaseDirectory: false);
            context.Response.ContentType = "application/x-tar";
            await SendAsync(context, Archive ?? archive.ToArray());
            return;
        }

        if (!File.Exists(path))
        {
            await Sse.ProblemAsync(context, 404, "not_found");
            return;
        }

        var bytes = await File.ReadAllBytesAsync(path);
        var tag = Tag(bytes);
        if (context.Request.Headers.IfMatch is { Count: > 0 } match && match != tag)
        {
            await Sse.ProblemAsync(context, 412, "precondition_failed");
            return;
        }

        var part = bytes.AsMemory();
        if (context.Request.GetTypedHeaders().Range?.Ranges.Single() is { } range)
        {
            if (range.From >= bytes.Length)
            {
                await Sse.ProblemAsync(context, 416, "range_not_satisfiable");
                return;
            }

            var to = Math.Min(range.To ?? long.MaxValue, bytes.Length - 1);
            part = bytes.AsMemory((int)range.From!, (int)(to - range.From + 1));
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {range.From}-{to}/{bytes.Length}");
        }

        context.Response.Headers.ETag = tag;
        context.Response.ContentType = "application/octet-stream";
        context.Response.ContentLength = part.Length;
        await SendAsync(context, part);
    }

    private async Task SendAsync(HttpContext context, ReadOnlyMemory<byte> bytes)
    {
        var cut = Cut();
        await context.Response.Body.WriteAsync(bytes[..(int)Math.Min(cut ?? long.MaxValue, bytes.Length)]);
        await context.Response.Body.FlushAsync();
        if (cut < bytes.Length)
            throw Sse.Cut();
    }

    private static async Task HeadAsync(HttpContext context, string path)
    {
        if (!File.Exists(path) && !Directory.Exists(path))
        {
            context.Response.StatusCode = 404;
            context.Response.ContentType = "application/problem+json";
            return;
        }

        context.Response.Headers["X-File-Type"] = File.Exists(path) ? "file" : "directory";
        context.Response.Headers["X-File-Mode"] = "0640";
        context.Response.Headers.LastModified = "Thu, 01 Jan 2026 00:00:00 GMT";
        if (!File.Exists(path))
            return;
        var bytes = await File.ReadAllBytesAsync(path);
        context.Response.Headers.ETag = Tag(bytes);
        context.Response.ContentLength = bytes.Length;
    }

    private static async Task PutAsync(HttpContext context, string path)
    {
        context.Request.Body.Position = 0;
        if (context.Request.ContentType == "application/x-tar")
        {
            Directory.CreateDirectory(path);
            await UnpackAsync(context.Request.Body, path);
            context.Response.StatusCode = 204;
            return;
        }

        var old = File.Exists(path) ? Tag(await File.ReadAllBytesAsync(path)) : null;
        if ((context.Request.Headers.IfMatch is { Count: > 0 } match && match != old) || (context.Request.Headers.IfNoneMatch == "*" && old is not null))
        {
            await Sse.ProblemAsync(context, 412, "precondition_failed");
            return;
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllBytesAsync(path, body.ToArray());
        context.Response.Headers.ETag = Tag(body.ToArray());
        context.Response.StatusCode = old is null ? 201 : 204;
    }

    private static async Task UnpackAsync(Stream archive, string path)
    {
        // Another reader than the one whose writer is tested.
        var start = new ProcessStartInfo("tar") { RedirectStandardInput = true };
        foreach (var argument in new[] { "-x", "-C", path })
            start.ArgumentList.Add(argument);
        using var tar = Process.Start(start)!;
        await archive.CopyToAsync(tar.StandardInput.BaseStream);
        tar.StandardInput.Close();
        await tar.WaitForExitAsync();
        if (tar.ExitCode != 0)
            throw new InvalidOperationException($"tar: {tar.ExitCode}");
    }

    private static Task DeleteAsync(HttpContext context, string path)
    {
        if (!File.Exists(path) && !Directory.Exists(path))
            return Sse.ProblemAsync(context, 404, "not_found");
        var recursive = context.Request.Query["recursive"] == "true";
        if (!recursive && Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
            return Sse.ProblemAsync(context, 409, "directory_not_empty");
        if (File.Exists(path))
            File.Delete(path);
        else
            Directory.Delete(path, recursive);
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    private static Task ListAsync(HttpContext context, string path)
    {
        if (!Directory.Exists(path))
            return Sse.ProblemAsync(context, File.Exists(path) ? 409 : 404, File.Exists(path) ? "not_a_directory" : "not_found");
        var entries = new DirectoryInfo(path).EnumerateFileSystemInfos("*", new EnumerationOptions
        {
            RecurseSubdirectories = true,
            MaxRecursionDepth = int.Parse(context.Request.Query["depth"].ToString(), CultureInfo.InvariantCulture) - 1,
        });
        return Sse.JsonAsync(context, $"[{string.Join(',', entries.Select(Entry))}]");
    }

    private static string Entry(FileSystemInfo info) => JsonSerializer.Serialize(new
    {
        name = info.Name,
        path = info.FullName,
        type = info is FileInfo ? "file" : "directory",
        size = (info as FileInfo)?.Length,
        mode = "0644",
        owner = 1000,
        modifiedAt = "2026-01-01T00:00:00Z",
    });

    private async Task MoveAsync(HttpContext context)
    {
        context.Request.Body.Position = 0;
        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        var from = Path.Combine(Root, body.RootElement.GetProperty("from").GetString()!);
        var to = Path.Combine(Root, body.RootElement.GetProperty("to").GetString()!);
        if (!File.Exists(from))
            await Sse.ProblemAsync(context, 404, "not_found");
        else if (File.Exists(to) && !body.RootElement.GetProperty("overwrite").GetBoolean())
            await Sse.ProblemAsync(context, 409, "exists");
        else
            File.Move(from, to, overwrite: true);
    }

    private async Task MakeDirectoryAsync(HttpContext context)
    {
        context.Request.Body.Position = 0;
        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        var path = Path.Combine(Root, body.RootElement.GetProperty("path").GetString()!);
        if (File.Exists(path))
            await Sse.ProblemAsync(context, 409, "exists");
        else
            Directory.CreateDirectory(path);
    }

    private async Task WatchAsync(HttpContext context)
    {
        var left = Sse.GoneAsync(context);
        var script = Watches.Dequeue();
        Sse.Begin(context);
        await Sse.WriteAsync(context, ": keepalive\n\n");
        foreach (var change in script.Changes)
            await Sse.WriteAsync(context, $"data: {change}\n\n");
        if (!script.EndsThen)
            await left;
    }

    private static string Tag(byte[] bytes) => $"\"{Convert.ToHexString(SHA256.HashData(bytes))[..16]}\"";
}

internal sealed record FileChangeScript(bool EndsThen, params string[] Changes);
