using System.Net.Http.Headers;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using System.Text.Json;
using System.Text;

namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>The API server as an administrator sees it: the tests' witness, which shares no code with the client under test.</summary>
public sealed class ApiServer : IDisposable
{
    private readonly SslClientAuthenticationOptions _tls;
    private readonly AuthenticationHeaderValue? _token;
    private readonly HttpClient _http;

    private ApiServer(Uri url, SslClientAuthenticationOptions tls, string? token)
    {
        Url = url;
        _tls = tls;
        _token = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        // Of a watch it bounds the beginning alone.
        _http = new HttpClient(CreateHandler()) { BaseAddress = url, Timeout = Patience.Limit };
        _http.DefaultRequestHeaders.Authorization = _token;
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("codesandbox-tests");
    }

    public Uri Url { get; }

    /// <summary>The cluster's certificate authority in PEM, base64 as a kubeconfig has it.</summary>
    public required string CertificateAuthorityData { get; init; }

    /// <summary>As the cluster's kubeconfig says, which kubectl reads.</summary>
    public static async Task<ApiServer> LoadAsync(TestCluster of)
    {
        var config = JsonNode.Parse(await of.KubectlAsync("config", "view", "--raw", "--minify", "--flatten", "-o", "json"))!;
        var cluster = config["clusters"]![0]!["cluster"]!;
        var user = config["users"]![0]!["user"]!;
        var authority = (string)cluster["certificate-authority-data"]!;
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(Text(authority));
        var tls = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck },
        };
        tls.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        if ((string?)user["client-certificate-data"] is { } certificate)
            tls.ClientCertificates = [X509Certificate2.CreateFromPem(Text(certificate), Text((string)user["client-key-data"]!))];
        return new ApiServer(new Uri((string)cluster["server"]!), tls, (string?)user["token"]) { CertificateAuthorityData = authority };
    }

    /// <summary>A handler that is trusted by the server as this administrator, by certificate; a token is <see cref="Authorize"/>'s.</summary>
    public SocketsHttpHandler CreateHandler() => new() { SslOptions = _tls, UseProxy = false, AllowAutoRedirect = false };

    /// <summary>Puts the administrator's token on a request, where there is one.</summary>
    public void Authorize(HttpRequestMessage request) => request.Headers.Authorization ??= _token;

    /// <summary>The object at a path; <see langword="null"/>: there is none.</summary>
    public async Task<JsonElement?> FindAsync(string path)
    {
        using var response = await _http.GetAsync(path);
        return response.StatusCode == System.Net.HttpStatusCode.NotFound ? null : await ReadAsync(response);
    }

    public async Task<JsonElement> GetAsync(string path) => await FindAsync(path) ?? throw new InvalidOperationException($"There is no {path}.");

    /// <summary>The items of a list.</summary>
    public async Task<IReadOnlyList<JsonElement>> ListAsync(string path) => [.. (await GetAsync(path)).GetProperty("items").EnumerateArray()];

    public Task<JsonElement> CreateAsync(string path, object manifest) => SendAsync(HttpMethod.Post, path, manifest);

    /// <summary>A strategic merge patch, as <c>kubectl patch</c> sends it.</summary>
    public Task<JsonElement> PatchAsync(string path, object patch) => SendAsync(HttpMethod.Patch, path, patch, "application/strategic-merge-patch+json");

    public Task<JsonElement> PutAsync(string path, object manifest) => SendAsync(HttpMethod.Put, path, manifest);

    /// <summary><see langword="false"/>: there was none.</summary>
    public async Task<bool> DeleteAsync(string path, int? graceSeconds = null)
    {
        using var response = await _http.DeleteAsync(graceSeconds is null ? path : $"{path}?gracePeriodSeconds={graceSeconds}");
        if (response.StatusCode == System.Net.HttpStatusCode.NotFound) return false;
        await ReadAsync(response);
        return true;
    }

    /// <summary>Text for text, for what is behind the pod proxy.</summary>
    public async Task<string> SendTextAsync(HttpMethod method, string path, string? body = null, string type = "application/json")
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, type);
        using var response = await _http.SendAsync(request);
        return await ReadTextAsync(response);
    }

    /// <summary>Whether it answers right now.</summary>
    public async Task<bool> IsReadyAsync()
    {
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            using var response = await _http.GetAsync("/readyz", patience.Token);
            return response.IsSuccessStatusCode;
        }
        catch (Exception away) when (away is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>
    /// What is there, as <c>ADDED</c>, then every change, until the server closes the watch or the caller has enough. The
    /// watch is open when the first item of <paramref name="listed"/> is set.
    /// </summary>
    public async IAsyncEnumerable<(string Type, JsonElement Object)> WatchAsync(
        string path, [EnumeratorCancellation] CancellationToken cancellationToken, TaskCompletionSource? listed = null)
    {
        var list = await GetAsync(path);
        foreach (var item in list.GetProperty("items").EnumerateArray()) yield return ("ADDED", item);
        var version = list.GetProperty("metadata").GetProperty("resourceVersion").GetString();
        var separator = path.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{path}{separator}watch=true&resourceVersion={version}&timeoutSeconds=3600");
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        listed?.TrySetResult();
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            var change = JsonDocument.Parse(line).RootElement;
            yield return (change.GetProperty("type").GetString()!, change.GetProperty("object"));
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<JsonElement> SendAsync(HttpMethod method, string path, object body, string type = "application/json") =>
        JsonDocument.Parse(await SendTextAsync(method, path, JsonSerializer.Serialize(body), type)).RootElement;

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response) => JsonDocument.Parse(await ReadTextAsync(response)).RootElement;

    private static async Task<string> ReadTextAsync(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode
            ? text
            : throw new ApiRefusedException((int)response.StatusCode, $"{response.RequestMessage!.Method} {response.RequestMessage.RequestUri}: {(int)response.StatusCode} {text}");
    }

    private static string Text(string base64) => Encoding.UTF8.GetString(Convert.FromBase64String(base64));
}

/// <summary>The API server said no to a test.</summary>
public sealed class ApiRefusedException(int status, string message) : Exception(message)
{
    public int Status => status;
}
