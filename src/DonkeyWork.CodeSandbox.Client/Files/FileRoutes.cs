using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Files;

/// <summary>The routes of a sandbox's files.</summary>
internal sealed class FileRoutes(SandboxRoute sandbox)
{
    public const string ArchiveType = "application/x-tar";
    public const string FileType = "application/octet-stream";

    public Call Of(HttpMethod method, string path) => new(method, To("", path));

    public Call Delete(string path, bool recursive) => new(HttpMethod.Delete, To("", path) + (recursive ? "&recursive=true" : ""));

    public Call List(string path, int depth) => new(HttpMethod.Get, $"{To("/list", path)}&depth={depth}") { Accept = Call.JsonType };

    public Call Watch(string path) => new(HttpMethod.Get, To("/watch", path));

    public Call Move(MoveFileRequest request) => new(HttpMethod.Post, sandbox.To("files/move")) { Content = ServerConnection.JsonOf(request) };

    public Call MakeDirectory(MakeDirectoryRequest request) =>
        new(HttpMethod.Post, sandbox.To("files/directory")) { Content = ServerConnection.JsonOf(request) };

    private string To(string what, string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return sandbox.To($"files{what}?path={Uri.EscapeDataString(path)}");
    }
}
