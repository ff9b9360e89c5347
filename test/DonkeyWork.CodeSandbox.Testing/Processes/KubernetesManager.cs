using System.Net.Http.Json;
using System.Net;
using System.Text.Json;
using System.Text;
using DonkeyWork.CodeSandbox.Client;
using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Testing.Processes;

/// <summary>The published Manager with the backend Kubernetes, as a process of its own: one of several on the same namespace.</summary>
public sealed class KubernetesManager : IAsyncDisposable
{
    /// <summary>One for all: what one Manager creates, the others can talk to.</summary>
    public const string Secret = "a secret that all Managers of the tests share, and nobody else";

    private readonly PublishedManager _process;
    private readonly HttpMessageHandler _handler;

    private KubernetesManager(PublishedManager process, HttpMessageHandler handler)
    {
        (_process, _handler) = (process, handler);
        // Of a stream it bounds the beginning alone.
        Http = new HttpClient(handler, disposeHandler: false) { BaseAddress = process.Url, Timeout = Patience.Limit };
        Client = new CodeSandboxClient(process.Url, handler);
    }

    public HttpClient Http { get; }

    public CodeSandboxClient Client { get; }

    public Uri Url => _process.Url;

    public int Pid => _process.Pid;

    public string Log => _process.Log;

    /// <summary>Starts one; it is healthy on return.</summary>
    /// <param name="place">Whose pods.</param>
    /// <param name="relay">What it takes for the API server; <see langword="null"/>: the API server.</param>
    /// <param name="within">The network it lives in; <see langword="null"/>: this machine's.</param>
    /// <param name="settings">Further arguments; without one of them there is no pool.</param>
    public static async Task<KubernetesManager> StartAsync(SandboxNamespace place, ApiRelay? relay = null, NetworkNamespace? within = null, params string[] settings)
    {
        string[] connection = relay is null
            ? [$"--KataContainerManager:Connection:Kubeconfig={place.Kubeconfig}"]
            : [$"--KataContainerManager:Connection:ServerUrl={relay.Address}", $"--KataContainerManager:Connection:Token={place.Token}"];
        var handler = within?.CreateHandler() ?? new SocketsHttpHandler { UseProxy = false, ResponseDrainTimeout = TimeSpan.Zero };
        var process = await PublishedManager.StartAsync(
            within?.Before ?? [],
            [
                "--KataContainerManager:Backend=Kubernetes",
                $"--KataContainerManager:Secret={Secret}",
                $"--KataContainerManager:TargetNamespace={place.Name}",
                $"--KataContainerManager:RuntimeClassName={place.Name}",
                "--KataContainerManager:DefaultResourceRequests:MemoryMi=16",
                "--KataContainerManager:DefaultResourceRequests:CpuMillicores=5",
                "--KataContainerManager:WarmPoolSize=0",
                .. connection,
                .. settings,
            ],
            handler);
        return new KubernetesManager(process, handler);
    }

    /// <summary>The names that it lists.</summary>
    public async Task<IReadOnlyList<string>> ListAsync() =>
        [.. (await Http.GetFromJsonAsync<JsonElement>("/api/kata")).EnumerateArray().Select(info => info.GetProperty("name").GetString()!).Order(StringComparer.Ordinal)];

    /// <summary>Creates without waiting: the answer, unread.</summary>
    public Task<HttpResponseMessage> CreateAsync(bool waitForReady = false) =>
        SendAsync(HttpMethod.Post, "/api/kata", waitForReady ? """{"waitForReady":true}""" : "{}");

    /// <summary>Creates one and gives its name, once the API server has it.</summary>
    public async Task<string> CreateNamedAsync(bool waitForReady = true)
    {
        using var response = await CreateAsync(waitForReady);
        var events = await response.Content.ReadAsStringAsync().WaitAsync(Patience.Limit);
        response.StatusCode.ShouldBe(HttpStatusCode.OK, events);
        if (waitForReady) events.ShouldContain("\"eventType\":\"ready\"");
        var created = events.Split('\n').First(line => line.StartsWith("data: ", StringComparison.Ordinal))[6..];
        return JsonDocument.Parse(created).RootElement.GetProperty("podName").GetString()!;
    }

    /// <summary>Starts a command: the answer as soon as its headers are there.</summary>
    public Task<HttpResponseMessage> ExecuteAsync(string name, string command) =>
        SendAsync(HttpMethod.Post, $"/api/kata/{name}/execute", JsonSerializer.Serialize(new { command }));

    /// <summary>SIGKILL: no goodbye.</summary>
    public Task KillAsync() => _process.KillAsync();

    /// <summary>Another signal, such as <c>STOP</c>.</summary>
    public Task SignalAsync(string name) => _process.SignalAsync(name);

    /// <summary>Waits for its end; the exit code.</summary>
    public Task<int> WaitForExitAsync() => _process.WaitForExitAsync();

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        Http.Dispose();
        _handler.Dispose();
        await _process.InterruptAsync();
        _process.Dispose();
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        return await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}
