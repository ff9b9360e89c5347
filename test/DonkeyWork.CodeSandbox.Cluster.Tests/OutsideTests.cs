using System.Net;
using System.Net.Sockets;

namespace DonkeyWork.CodeSandbox.Cluster.Tests;

/// <summary>A Manager outside of the cluster, in a network that reaches the API server's address and nothing else.</summary>
public sealed class OutsideTests : IAsyncLifetime
{
    private SandboxNamespace _place = null!;
    private NetworkNamespace _network = null!;
    private KubernetesManager _manager = null!;

    public async Task InitializeAsync()
    {
        _place = await SandboxNamespace.CreateAsync(TestCluster.Node);
        _network = await NetworkNamespace.ReachingAsync(IPAddress.Parse(_place.Api.Url.Host));
        _manager = await KubernetesManager.StartAsync(_place, within: _network);
    }

    public async Task DisposeAsync()
    {
        await _manager.DisposeAsync();
        await _network.DisposeAsync();
        await _place.DisposeAsync();
    }

    [Fact]
    public async Task It_creates_streams_and_runs_a_thousand_commands_all_through_the_pod_proxy()
    {
        var calls = await _place.Audit.DuringAsync(_place.User, async () =>
        {
            await using var sandbox = await _manager.Client.CreateAsync();
            await NothingButTheApiServerIsReached(sandbox.Name);
            await AStreamFlows(sandbox.Name);
            await Parallel.ForAsync(0, 1000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, stop) =>
            {
                var result = await sandbox.RunAsync($"echo out {i}; echo err {i} >&2; exit {i % 7}", cancellationToken: stop);
                result.StandardOutput.ShouldBe($"out {i}\n");
                result.StandardError.ShouldBe($"err {i}\n");
                result.ExitCode.ShouldBe(i % 7);
            });
        });

        // 1,000 commands, the stream and what releases it, as the API server saw them: POST is "create" in its words.
        calls.Count(call => call is { Subresource: "proxy", Verb: "create", Status: 200 }).ShouldBe(1002);
        calls.Where(call => call.Subresource is not ("" or "proxy")).ShouldBeEmpty();
        // Nothing else of it is asked for command by command.
        var others = calls.Where(call => call is { Subresource: "", Resource: not "leases" }).ToList();
        others.Count.ShouldBeLessThan(20, string.Join('\n', others));
    }

    private async Task NothingButTheApiServerIsReached(string sandbox)
    {
        var pod = await _place.Api.GetAsync($"{_place.Pods}/{sandbox}");
        var executor = new IPEndPoint(IPAddress.Parse(pod.GetProperty("status").GetProperty("podIP").GetString()!), 8666);
        var refused = await Should.ThrowAsync<SocketException>(() => _network.ConnectAsync(executor, CancellationToken.None));
        refused.SocketErrorCode.ShouldBe(SocketError.NetworkUnreachable);
        // The control: it is there for who reaches the pods.
        using var direct = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await direct.ConnectAsync(executor);
    }

    /// <summary>The first line arrives while the command waits for what only somebody who has read that line does.</summary>
    private async Task AStreamFlows(string sandbox)
    {
        using var response = await _manager.ExecuteAsync(sandbox, "echo first; until [ -e ~/go ]; do read -t 0.05 < <(:); done; echo second");
        using var stream = await response.ReadFirstEventAsync();
        (await _manager.Client.Attach(sandbox).RunAsync("touch ~/go")).ExitCode.ShouldBe(0);
        var rest = await stream.ReadToEndAsync().WaitAsync(Patience.Limit);
        rest.ShouldContain("\"data\":\"second\"");
        rest.ShouldContain("CompletedEvent");
    }
}
