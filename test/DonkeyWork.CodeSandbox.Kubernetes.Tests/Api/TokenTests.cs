using System.Text.Json;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Executors;
using DonkeyWork.CodeSandbox.Kubernetes.Tests.Executors;
using DonkeyWork.CodeSandbox.Testing;
using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;

/// <summary>Tokens that rotate, and programs that get them; the relay sees which one arrives.</summary>
[Collection(ControlCollection.Name)]
public sealed class TokenTests(ControlNamespace control) : IClassFixture<ControlNamespace>, IAsyncLifetime, IDisposable
{
    private readonly ConfigurationFiles _files = new();
    private readonly ManualClock _clock = new();
    private ApiRelay _relay = null!;

    public async Task InitializeAsync() => _relay = await ApiRelay.StartAsync(control.Server);

    public async Task DisposeAsync() => await _relay.DisposeAsync();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task A_token_that_is_no_longer_good_is_read_again_at_once()
    {
        var (old, next) = (await ServiceAccountTokenAsync("old"), await ServiceAccountTokenAsync("next"));
        _files.Write("token", old);
        using var client = Client("tokenFile: token");
        await ListAsync(client);

        // The account goes, and with it its token; the server remembers a good token for some seconds.
        await control.Namespace.KubectlAsync("delete", "serviceaccount", "old");
        _files.Write("token", next);
        await Patience.UntilAsync(
            async () =>
            {
                await ListAsync(client);
                return Tokens().Last() != old;
            },
            () => "The server goes on to take a token of an account that is gone, or the file is not read again.");
        Tokens().TakeLast(2).ShouldBe([old, next]);
        await ListAsync(client);
        Tokens().Last().ShouldBe(next);
    }

    [Fact]
    public async Task A_token_file_is_read_again_after_a_minute()
    {
        var (first, second) = (await ServiceAccountTokenAsync("first"), await ServiceAccountTokenAsync("second"));
        _files.Write("token", first);
        using var client = Client("tokenFile: token");
        await ListAsync(client);
        _files.Write("token", second);
        _clock.Advance(TimeSpan.FromSeconds(59));
        await ListAsync(client);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await ListAsync(client);
        // A moment without a file is not the end of it.
        File.Delete(Path.Combine(_files.Path, "token"));
        _clock.Advance(TimeSpan.FromMinutes(1));
        await ListAsync(client);
        Tokens().ShouldBe([first, first, second, second]);
    }

    [Fact]
    public async Task The_service_account_of_a_pod_is_who_we_are_in_one()
    {
        _files.Write("token", await ServiceAccountTokenAsync("in-a-pod"));
        File.Copy(control.Cluster.AuthorityFile, Path.Combine(_files.Path, "ca.crt"));
        var variables = new Dictionary<string, string> { ["KUBERNETES_SERVICE_HOST"] = control.Server.Host, ["KUBERNETES_SERVICE_PORT"] = $"{control.Server.Port}" };
        var environment = new ClusterEnvironment { Variable = name => variables.GetValueOrDefault(name), ServiceAccountDirectory = _files.Path };
        using var client = new TestClient(ClusterConnection.Load(new(), TimeProvider.System, environment), control);
        (await client.Client.Pods.ListAsync(null, default)).ShouldBeEmpty();
        File.ReadLines(control.Cluster.AuditLog).Last(line => line.Contains($"\"namespace\":\"{control.Namespace.Name}\"", StringComparison.Ordinal) && line.Contains("\"verb\":\"list\"", StringComparison.Ordinal))
            .ShouldContain($"\"system:serviceaccount:{control.Namespace.Name}:in-a-pod\"");
    }

    [Fact]
    public async Task A_plugin_is_asked_again_when_its_token_ends_and_when_the_server_refuses_it()
    {
        var runs = Path.Combine(_files.Path, "runs");
        _files.WriteScript("plugin", $$"""
            echo "$1|$2|$EXTRA|$KUBERNETES_EXEC_INFO" >> '{{runs}}'
            printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s","expirationTimestamp":"2030-01-01T00:10:00Z"} }' "$(cat '{{_files.Path}}/token')"
            """);
        _files.Write("token", control.Cluster.AdminToken);
        using var client = Client("exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin, args: ['a b', '$HOME;'], env: [{name: EXTRA, value: more}], provideClusterInfo: true}");
        await ListAsync(client);
        await ListAsync(client);
        var run = File.ReadAllLines(runs).ShouldHaveSingleItem();
        run.ShouldStartWith("a b|$HOME;|more|");
        using (var asked = JsonDocument.Parse(run.Split('|', 4)[3]))
        {
            asked.RootElement.GetProperty("apiVersion").GetString().ShouldBe("client.authentication.k8s.io/v1");
            asked.RootElement.GetProperty("spec").GetProperty("interactive").GetBoolean().ShouldBeFalse();
            asked.RootElement.GetProperty("spec").GetProperty("cluster").GetProperty("server").GetString().ShouldBe(_relay.Address.AbsoluteUri.TrimEnd('/'));
        }

        // Half a minute before its end a token is not used any more.
        _clock.Advance(TimeSpan.FromSeconds(571));
        await ListAsync(client);
        File.ReadAllLines(runs).Length.ShouldBe(2);
    }

    [Fact]
    public async Task A_plugin_whose_token_is_refused_is_asked_once_more()
    {
        _files.WriteScript("plugin", $$"""
            printf '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"%s"} }' "$(cat '{{_files.Path}}/token')"
            printf %s '{{control.Cluster.AdminToken}}' > '{{_files.Path}}/token'
            """);
        _files.Write("token", "refused");
        using var client = Client("exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: ./plugin}");
        await ListAsync(client);
        Tokens().ShouldBe(["refused", control.Cluster.AdminToken]);

        using var wrong = Client("token: wrong");
        (await Should.ThrowAsync<ApiException>(ListAsync(wrong))).StatusCode.ShouldBe(401);
        Tokens().Skip(2).ShouldBe(["wrong"]);
    }

    [Fact]
    public async Task A_pod_that_says_401_makes_nobody_ask_a_plugin()
    {
        var runs = Path.Combine(_files.Path, "runs");
        _files.WriteScript("plugin", $$"""
            echo run >> '{{runs}}'
            printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"} }'
            """);
        _relay.Intercept = context =>
        {
            context.Response.StatusCode = 401;
            return Task.FromResult(true);
        };
        using var connection = ClusterConnection.Load(
            new ConnectionOptions { Kubeconfig = _files.WriteKubeconfig(_relay.Address.AbsoluteUri, "", "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin}") }, _clock);
        using var executors = new ExecutorConnections(connection, new KubernetesOptions { ExecutorAccess = ExecutorAccess.ApiServerProxy });
        var executor = executors.Of(ExecutorAccessTests.NobodysSandbox());

        for (var time = 0; time < 3; time++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(executor.BaseAddress, "healthz"));
            await Should.ThrowAsync<HttpRequestException>(() => executor.Http.SendAsync(request, CancellationToken.None));
        }

        _relay.Requests.Count.ShouldBe(3);
        File.ReadAllLines(runs).ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("echo 'please log in' >&2; exit 3", "exit code 3: please log in")]
    [InlineData("echo nonsense", "did not print an ExecCredential")]
    [InlineData("""echo '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"x"}}'""", "where the kubeconfig says 'client.authentication.k8s.io/v1'")]
    [InlineData("""echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{}}'""", "without a token")]
    public async Task What_is_wrong_with_a_plugin_is_said(string script, string words)
    {
        _files.WriteScript("plugin", script);
        using var client = Client("exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin}");
        var failure = await Should.ThrowAsync<ApiUnreachableException>(client.Client.Pods.CreateAsync(Manifests.Pod("x"), Manifests.Type, default));
        failure.Message.ShouldContain(words);
        failure.MayHaveBeenSent.ShouldBeFalse();
        _relay.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("KataContainerManager__Secret")]
    [InlineData("ApiKey")]
    [InlineData("ASPNETCORE_APIKEY")]
    public async Task A_plugin_is_not_given_the_Managers_own_secrets(string variable)
    {
        _files.WriteScript("plugin", "env | grep of-the-manager >&2; exit 3");
        using var client = Client("exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin}");
        Environment.SetEnvironmentVariable(variable, "of-the-manager");
        try
        {
            (await Should.ThrowAsync<ApiUnreachableException>(ListAsync(client))).Message.ShouldNotContain("of-the-manager");
        }
        finally
        {
            Environment.SetEnvironmentVariable(variable, null);
        }
    }

    [Fact]
    public async Task A_plugin_that_does_not_end_is_ended()
    {
        var pidFile = Path.Combine(_files.Path, "pid");
        _files.WriteScript("plugin", $"echo $$ > '{pidFile}.new'; mv '{pidFile}.new' '{pidFile}'; exec sleep 1000");
        using var client = Client("exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin}");
        var listing = ListAsync(client);
        await Patience.UntilAsync(() => File.Exists(pidFile), () => "The plug-in was not started.");
        using var plugin = System.Diagnostics.Process.GetProcessById(int.Parse(await File.ReadAllTextAsync(pidFile), System.Globalization.CultureInfo.InvariantCulture));
        plugin.HasExited.ShouldBeFalse();
        _clock.Advance(TimeSpan.FromSeconds(30));
        await Should.ThrowAsync<ApiUnreachableException>(listing);
        await plugin.WaitForExitAsync().WaitAsync(Patience.Limit);
    }

    [Fact]
    public async Task A_plugin_that_is_not_there_is_said_with_how_to_get_it()
    {
        using var client = Client("exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin, installHint: Install it with brew.}");
        (await Should.ThrowAsync<ApiUnreachableException>(ListAsync(client))).Message.ShouldContain("Install it with brew.");
    }

    private TestClient Client(string user) => new(
        ClusterConnection.Load(new ConnectionOptions { Kubeconfig = _files.WriteKubeconfig(_relay.Address.AbsoluteUri, "", user) }, _clock), control);

    private static Task<IReadOnlyList<PodView>> ListAsync(TestClient client) => client.Client.Pods.ListAsync("app=nobody", default);

    private List<string> Tokens() => [.. _relay.Requests.Select(request => request.Authorization["Bearer ".Length..])];

    private async Task<string> ServiceAccountTokenAsync(string name)
    {
        await control.Namespace.KubectlAsync("create", "serviceaccount", name);
        await control.Namespace.KubectlAsync("create", "rolebinding", name, "--clusterrole=cluster-admin", $"--serviceaccount={control.Namespace.Name}:{name}");
        // The authorizer hears of a binding a moment after it was made.
        await Patience.UntilAsync(
            async () => (await control.Cluster.TryKubectlAsync("auth", "can-i", "list", "pods", "-n", control.Namespace.Name, $"--as=system:serviceaccount:{control.Namespace.Name}:{name}")).ExitCode == 0,
            () => $"{name} may do nothing.");
        using var answer = JsonDocument.Parse(await control.Cluster.KubectlWithInputAsync(
            """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":3600}}""",
            "create", "--raw", $"/api/v1/namespaces/{control.Namespace.Name}/serviceaccounts/{name}/token", "-f", "-"));
        return answer.RootElement.GetProperty("status").GetProperty("token").GetString()!;
    }
}
