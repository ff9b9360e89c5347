using System.Diagnostics;
using System.Net;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;
using DonkeyWork.CodeSandbox.Testing;
using DonkeyWork.CodeSandbox.Testing.Clusters;
using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;

/// <summary>The server's packets, and ours, disappear without a word.</summary>
[Collection(ControlCollection.Name)]
public sealed class DroppedPacketsTests(ControlNamespace control) : IClassFixture<ControlNamespace>, IDisposable
{
    // What the product promises, not what a test has patience for.
    private static readonly TimeSpan NoticedWithin = TimeSpan.FromSeconds(30);

    private readonly ConfigurationFiles _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task A_watch_notices_within_30_seconds_by_ping_or_keep_alive_and_is_right_again_when_packets_flow()
    {
        await using var path = await ClusterLink.ToAsync(IPAddress.Parse(control.Server.Host));
        var options = new ConnectionOptions
        {
            Kubeconfig = _files.WriteKubeconfig($"https://{path.Server}:{control.Server.Port}", $"certificate-authority: {control.Cluster.AuthorityFile}\ntls-server-name: kubernetes.default", $"token: {control.Cluster.AdminToken}"),
        };
        using var client = control.With(options);
        using var connection = ClusterConnection.Load(options, TimeProvider.System);
        using var oldHttp = new HttpMessageInvoker(connection.CreateHandler());
        await CreateAsync("before");
        await using var watch = new WatchProbe<PodView>(client.Client.Pods);
        await watch.UntilAsync<ApiListed<PodView>>();
        using var oldWatch = await OpenAsync(oldHttp, connection.Server, HttpVersion.Version11);
        // Both go on: this is no watch that has just begun.
        await CreateAsync("seen");
        await watch.UntilAsync(view => view.ContainsKey("seen"));

        await path.SilenceAsync();
        var start = Stopwatch.GetTimestamp();
        var curl = await Should.ThrowAsync<InvalidOperationException>(Tool.OutputOfAsync("curl", ["--silent", "--insecure", "--max-time", "2", connection.Server.AbsoluteUri]));
        curl.Message.ShouldContain("ended with 28", Case.Sensitive, "nobody refuses or resets: it is silence");
        await CreateAsync("unseen");
        var broken = Task.Run(() => ReadToTheEndAsync(oldWatch));
        await watch.UntilAsync<ApiLost<PodView>>();
        Stopwatch.GetElapsedTime(start).ShouldBeLessThan(NoticedWithin);
        await Should.ThrowAsync<IOException>(broken.WaitAsync(Patience.Limit));
        Stopwatch.GetElapsedTime(start).ShouldBeLessThan(NoticedWithin);

        await path.EndSilenceAsync();
        (await watch.UntilAsync<ApiListed<PodView>>()).Items.Select(pod => pod.Name).ShouldBe(["before", "seen", "unseen"], ignoreOrder: true);
        await CreateAsync("after");
        await watch.UntilAsync(view => view.ContainsKey("after"));
        watch.Seen.OfType<ApiLost<PodView>>().Count().ShouldBe(1);
        (await client.Client.Pods.GetAsync("after", default)).Name.ShouldBe("after");
    }

    private async Task<HttpResponseMessage> OpenAsync(HttpMessageInvoker http, Uri server, Version version)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(server, $"api/v1/namespaces/{control.Namespace.Name}/pods?watch=true"))
        {
            Version = version,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        var response = await http.SendAsync(request, default);
        response.Version.ShouldBe(version);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return response;
    }

    private static async Task ReadToTheEndAsync(HttpResponseMessage response)
    {
        await using var body = await response.Content.ReadAsStreamAsync();
        await body.CopyToAsync(Stream.Null);
    }

    private Task<PodView> CreateAsync(string name) => control.Client.Pods.CreateAsync(Manifests.Pod(name), Manifests.Type, default);
}
