using System.Text;
using System.Text.Json.Nodes;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Executors;
using DonkeyWork.CodeSandbox.Kubernetes.Tests.Backend;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Executors;

/// <summary>Both ways to real executors.</summary>
public sealed class ExecutorAccessTests(NodeCluster cluster) : IClassFixture<NodeCluster>
{
    [Theory]
    [InlineData(ExecutorAccess.PodIp, "http://10.")]
    [InlineData(ExecutorAccess.ApiServerProxy, "/proxy/")]
    public async Task A_command_runs_and_one_whose_pod_is_deleted_never_looks_complete(ExecutorAccess access, string way)
    {
        await using var backend = await ClusterBackend.StartAsync(cluster.Place, options => options with { ExecutorAccess = access });
        var sandbox = await backend.Backend.CreateReadyAsync();
        backend.Backend.Connect(sandbox).BaseAddress.AbsoluteUri.ShouldContain(way);
        (await backend.Backend.RunAsync(sandbox, "echo $((6 * 7))")).Output.ShouldBe("42\n");

        using var limit = new CancellationTokenSource(Patience.Limit);
        using var response = await StreamAsync(backend.Backend, sandbox, limit.Token);
        await using var body = await response.Content.ReadAsStreamAsync(limit.Token);
        var buffer = new byte[4096];
        (await body.ReadAsync(buffer, limit.Token)).ShouldBeGreaterThan(0);
        var gone = backend.Backend.UntilAsync(sandbox.Name, state => state is null);
        // Without grace: with it the executor has the time to tell that the command was killed.
        await cluster.Place.KubectlAsync("delete", "pod", sandbox.Name, "--grace-period=0", "--force", "--wait=false");

        await Should.ThrowAsync<IOException>(async () =>
        {
            while (await body.ReadAsync(buffer, limit.Token) > 0) { }
        });
        (await gone).ShouldBeNull();
        await Should.ThrowAsync<HttpRequestException>(() => backend.Backend.AskAsync(sandbox, HttpMethod.Get, "healthz"));
    }

    [Fact]
    public async Task The_executors_own_errors_come_through_the_proxy_as_they_are()
    {
        await using var backend = await ClusterBackend.StartAsync(cluster.Place, options => options with { ExecutorAccess = ExecutorAccess.ApiServerProxy });
        var sandbox = await backend.Backend.CreateReadyAsync();

        (await backend.Backend.AskAsync(sandbox, HttpMethod.Post, "api/execute", """{"command":7}""")).ShouldSatisfyAllConditions(
            answer => answer.Status.ShouldBe(400), answer => answer.Body.ShouldContain(ErrorCodes.InvalidRequest));

        await backend.Backend.DeleteGoneAsync(sandbox);
    }

    [Fact]
    public async Task What_the_api_server_says_on_the_way_is_never_taken_for_an_executors_answer()
    {
        await using var backend = await ClusterBackend.StartAsync(cluster.Place, options => options with { ExecutorAccess = ExecutorAccess.ApiServerProxy });
        var nobody = NobodysSandbox();

        (await Should.ThrowAsync<HttpRequestException>(() => backend.Backend.AskAsync(nobody, HttpMethod.Get, "healthz")))
            .Message.ShouldContain($"pods \"{nobody.Name}\" not found");
    }

    [Fact]
    public async Task A_manager_that_may_not_use_the_proxy_is_told_which_right_it_lacks()
    {
        using var administrator = ClusterConnection.Load(new ConnectionOptions { Kubeconfig = cluster.Place.Cluster.Kubeconfig }, TimeProvider.System);
        var answer = await cluster.Place.Cluster.KubectlWithInputAsync(
            """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":600}}""",
            "create", "--raw", $"/api/v1/namespaces/{cluster.Place.Name}/serviceaccounts/default/token", "-f", "-");
        var token = JsonNode.Parse(answer)!["status"]!["token"]!.ToString();
        await using var backend = await ClusterBackend.StartAsync(cluster.Place, options => options with
        {
            ExecutorAccess = ExecutorAccess.ApiServerProxy,
            Connection = new ConnectionOptions { ServerUrl = administrator.Server.AbsoluteUri, Token = token, SkipTlsVerify = true },
        });

        (await Should.ThrowAsync<HttpRequestException>(() => backend.Backend.AskAsync(NobodysSandbox(), HttpMethod.Get, "healthz")))
            .Message.ShouldContain("needs the Role for pods/proxy");
        (await Should.ThrowAsync<BackendUnavailableException>(() => backend.Backend.CreateAsync(Specs.New(), CancellationToken.None)))
            .Message.ShouldContain("k8s/role.yaml");
    }

    internal static Sandbox NobodysSandbox() => new()
    {
        Name = "test-00000000",
        Uid = Guid.NewGuid().ToString(),
        Version = "1",
        Nonce = "n",
        Phase = SandboxPhase.Running,
        IsReady = true,
        CreatedAt = default,
        PoolStatus = PoolStatus.Manual,
        Labels = new Dictionary<string, string>(),
        Resources = new ResourceRequirements(),
    };

    private static async Task<HttpResponseMessage> StreamAsync(ISandboxBackend backend, Sandbox sandbox, CancellationToken cancellationToken)
    {
        var executor = backend.Connect(sandbox);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(executor.BaseAddress, "api/execute"));
        request.Headers.Add(ExecutorProtocol.TokenHeader, Specs.TokenOf(sandbox));
        request.Content = new StringContent("""{"command":"while sleep 0.1; do echo tick; done"}""", Encoding.UTF8, "application/json");
        var response = await executor.Http.SendAsync(request, cancellationToken);
        ((int)response.StatusCode).ShouldBe(200);
        return response;
    }
}
