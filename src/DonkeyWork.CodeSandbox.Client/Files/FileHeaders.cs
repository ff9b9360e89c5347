using System.Net.Http.Headers;
using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Files;

/// <summary>What the headers of the routes of files say.</summary>
internal static class FileHeaders
{
    private const string Type = "X-File-Type";
    private const string Mode = "X-File-Mode";

    public static SandboxFileInfo Read(string path, Answer answer)
    {
        var headers = answer.Response.Headers;
        var content = answer.Response.Content.Headers;
        var isDirectory = Value(headers, Type) == "directory";
        return new SandboxFileInfo
        {
            Path = path,
            Type = isDirectory ? FileEntryType.Directory : FileEntryType.File,
            Size = isDirectory ? null : content.ContentLength,
            Mode = Value(headers, Mode),
            ModifiedAt = content.LastModified,
            ETag = headers.ETag?.ToString(),
        };
    }

    /// <summary>Those of an upload, which is sent only when it is wanted: a refusal comes before the body.</summary>
    public static Action<HttpRequestHeaders> OfUpload(WriteOptions? options)
    {
        // What is no tag is told to whoever gave it, before anything is sent.
        var match = options?.IfMatch is { } tag ? EntityTagHeaderValue.Parse(tag) : null;
        return headers =>
        {
            headers.ExpectContinue = true;
            if (match is not null)
                headers.IfMatch.Add(match);
            if (options?.CreateNew == true)
                headers.IfNoneMatch.Add(EntityTagHeaderValue.Any);
        };
    }

    private static string? Value(HttpResponseHeaders headers, string name) =>
        headers.TryGetValues(name, out var values) ? string.Join(',', values) : null;
}
