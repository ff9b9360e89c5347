using System.Net.Http.Headers;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Files;

/// <summary>One sandbox for the tests of files; each works in a directory of its own.</summary>
public sealed class FileSandbox : IAsyncLifetime
{
    private int _directories;

    internal ExecutorContainer Container { get; private set; } = null!;

    internal ExecutorApi Api => Container.Api;

    public async Task InitializeAsync() => Container = await ExecutorContainer.StartAsync(KillMode.Cgroup, new ContainerOptions { HasDisk = true });

    public async Task DisposeAsync() => await Container.DisposeAsync();

    /// <summary>What requests may take at once; of 64 MiB, a fresh executor has 24.</summary>
    internal const int OwnMebibytes = 20;

    /// <summary>The most memory that the executor has had since <see cref="ForgetPeak"/>.</summary>
    internal int PeakMebibytes => int.Parse(HostProcess.Status(Container.Pid, "VmHWM").Split(' ')[0], null) / 1024;

    /// <summary>What other tests have made it take is not this one's (proc(5), clear_refs).</summary>
    /// <returns>What it has now.</returns>
    internal int ForgetPeak()
    {
        File.WriteAllText($"/proc/{Container.Pid}/clear_refs", "5");
        return PeakMebibytes;
    }

    /// <summary>A new directory, as the sandbox names it.</summary>
    internal async Task<string> MakeDirectoryAsync(string parent = "/home/user")
    {
        var path = $"{parent}/{Interlocked.Increment(ref _directories)}";
        await ShellAsync($"mkdir {path}");
        return path;
    }

    /// <summary>The same file as the host names it.</summary>
    internal string OnHost(string path) => $"/proc/{Container.Pid}/root{path}";

    /// <summary>Runs a command of the sandbox, which must succeed.</summary>
    internal async Task<string> ShellAsync(string command)
    {
        var outcome = await Api.RunAsync(command);
        outcome.Completed.ExitCode.ShouldBe(0, outcome.Stderr);
        return outcome.Stdout;
    }

    /// <summary>Starts a command that runs until it is disposed; returns when it has printed something.</summary>
    internal async Task<IAsyncDisposable> StartAsync(string command)
    {
        var stream = Api.StreamAsync(new ExecuteRequest { Command = command }).GetAsyncEnumerator();
        (await stream.MoveNextAsync()).ShouldBeTrue();
        stream.Current.Event.ShouldBeOfType<OutputEvent>();
        return stream;
    }

    internal Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string route, string? path = null, HttpContent? content = null, string? accept = null,
        params (string Name, string Value)[] headers) =>
        Api.SendAsync(method, Url(route, path), content, headers: accept is null ? headers : [.. headers, ("Accept", accept)]);

    internal Task<HttpResponseMessage> GetAsync(string path, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Get, "", path, headers: headers);

    internal Task<HttpResponseMessage> PutAsync(string path, byte[] content, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Put, "", path, new ByteArrayContent(content), headers: headers);

    internal Task<HttpResponseMessage> UnpackAsync(string path, Stream archive)
    {
        var content = new StreamContent(archive);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/x-tar");
        return SendAsync(HttpMethod.Put, "", path, content);
    }

    internal Task<HttpResponseMessage> PostAsync(string route, string json) => Api.PostAsync("/api/files/" + route, json);

    internal async Task<FileEntry[]> ListAsync(string path, int depth = 1)
    {
        using var response = await SendAsync(HttpMethod.Get, $"/list?depth={depth}", path);
        var body = await response.Content.ReadAsByteArrayAsync();
        ((int)response.StatusCode).ShouldBe(200, System.Text.Encoding.UTF8.GetString(body));
        return [.. JsonSerializer.Deserialize(body, ContractsJsonContext.Default.IReadOnlyListFileEntry)!];
    }

    /// <summary>The code of a problem.</summary>
    internal static async Task<string> RefusalAsync(Task<HttpResponseMessage> sent)
    {
        using var response = await sent;
        var body = await response.Content.ReadAsStringAsync();
        response.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json", $"{response.StatusCode} {body}");
        return $"{(int)response.StatusCode} {JsonSerializer.Deserialize(body, ContractsJsonContext.Default.Problem)!.Code}";
    }

    internal static async Task SucceedAsync(Task<HttpResponseMessage> sent, int status = 204)
    {
        using var response = await sent;
        ((int)response.StatusCode).ShouldBe(status, await response.Content.ReadAsStringAsync());
    }

    private static string Url(string route, string? path) =>
        "/api/files" + route + (path is null ? "" : (route.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "path=" + Uri.EscapeDataString(path).Replace("%2F", "/", StringComparison.Ordinal));
}

[CollectionDefinition(Name)]
public sealed class FileSandboxCollection : ICollectionFixture<FileSandbox>
{
    public const string Name = "files";
}
