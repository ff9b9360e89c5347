using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace DonkeyWork.CodeSandbox.Cluster.Tests.Installation;

/// <summary>What the README and the documents show of a cluster, run on one.</summary>
public sealed class OnTheClusterTests : IAsyncLifetime
{
    private InstallableCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await InstallableCluster.FindAsync();

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task The_commands_of_the_README_install_create_a_sandbox_run_Python_and_Node_in_it_and_delete_it()
    {
        var commands = ShownCommands.In(ShownCommands.Section("README.md", "On Kubernetes"), "sh");
        commands.Count.ShouldBe(5);
        var port = FreePort();

        await commands.RunAsync(command => command.Replace("8668", $"{port}", StringComparison.Ordinal), _cluster.Variables, InstallableCluster.Limit);

        var managers = await _cluster.ManagersAsync();
        managers.Count.ShouldBe(2);
        foreach (var manager in managers)
        {
            manager["spec"]!["serviceAccountName"]!.ToString().ShouldBe("kata-manager");
            manager["status"]!["containerStatuses"]![0]!["ready"]!.GetValue<bool>().ShouldBeTrue();
            manager["status"]!["containerStatuses"]![0]!["restartCount"]!.GetValue<int>().ShouldBe(0);
        }

        // Deleted means: the pod goes. The pool's stay.
        await Patience.UntilAsync(
            async () => (await _cluster.KubectlAsync("-n", "sandbox-containers", "get", "pods", "-l", "pool-status=manual", "-o", "name")).Length == 0,
            () => "The sandbox's pod is still there.");
    }

    [Fact]
    public async Task Without_the_Secret_a_Manager_says_what_is_missing_and_ends()
    {
        await _cluster.ApplyAsync();

        await Patience.UntilAsync(async () => await EndedAsync() is not null, () => "No Manager has ended.");

        var ended = (await EndedAsync()).ShouldNotBeNull();
        ended["exitCode"]!.GetValue<int>().ShouldBe(1);
        var shown = ShownCommands.Section("docs/kubernetes.md", "The Secret").Split("```text\n")[1].Split("```")[0];
        shown.ShouldContain("KataContainerManager:Secret");
        ended["message"]!.ToString().ShouldBe(shown);
    }

    [Fact]
    public async Task The_account_of_Managers_may_do_what_the_API_server_lets_it_and_that_is_little()
    {
        await _cluster.ApplyAsync();

        foreach (var allowed in (string[])["create pods", "patch pods", "delete pods", "watch pods", "patch leases.coordination.k8s.io", "watch resourcequotas"])
            (await MayAsync("kata-manager", "sandbox-containers", allowed)).ShouldBeTrue(allowed);
        foreach (var (where, refused) in new[]
        {
            ("sandbox-containers", "get secrets"), ("sandbox-containers", "create pods/exec"), ("sandbox-containers", "get pods/proxy"), ("sandbox-containers", "update pods"),
            ("sandbox-containers", "delete leases.coordination.k8s.io"), ("sandbox-containers", "patch resourcequotas"), ("sandbox-containers", "deletecollection pods"),
            ("default", "get secrets"), ("default", "get pods"), ("kube-system", "get pods"), ("sandbox-containers", "get nodes"),
        })
        {
            (await MayAsync("kata-manager", where, refused)).ShouldBeFalse($"{refused} in {where}");
        }
    }

    [Fact]
    public async Task The_account_of_Managers_outside_reaches_pods_through_the_API_server_once_its_file_is_applied()
    {
        await _cluster.ApplyAsync();
        (await MayAsync("kata-manager-outside", "sandbox-containers", "get pods/proxy")).ShouldBeFalse();

        await ShownCommands.In(ShownCommands.Section("docs/kubernetes.md", "Managers outside of the cluster"), "sh").RunAsync(command => command, _cluster.Variables, InstallableCluster.Limit);

        foreach (var allowed in (string[])["get pods/proxy", "create pods/proxy", "create pods", "watch pods"])
            (await MayAsync("kata-manager-outside", "sandbox-containers", allowed)).ShouldBeTrue(allowed);
        (await MayAsync("kata-manager-outside", "default", "get pods/proxy")).ShouldBeFalse();
        (await MayAsync("kata-manager", "sandbox-containers", "get pods/proxy")).ShouldBeFalse();
    }

    /// <summary>Asked of the API server's own authorizer.</summary>
    private async Task<bool> MayAsync(string account, string where, string what)
    {
        var words = what.Split(' ');
        var parts = words[1].Split('/');
        string[] subresource = parts.Length > 1 ? [$"--subresource={parts[1]}"] : [];
        var tool = await Tool.RunAsync("kubectl", ["auth", "can-i", words[0], parts[0], .. subresource, "-n", where, $"--as=system:serviceaccount:default:{account}"], _cluster.Variables);
        var answer = tool.Output.Trim();
        answer.ShouldBeOneOf("yes", "no");
        return answer == "yes";
    }

    /// <summary>How the container of a Manager has ended, with what it said.</summary>
    private async Task<JsonNode?> EndedAsync() =>
        (await _cluster.ManagersAsync()).Select(manager => manager["status"]?["containerStatuses"]?[0])
            .Select(status => status?["state"]?["terminated"] ?? status?["lastState"]?["terminated"]).FirstOrDefault(ended => ended is not null);

    // None of those that the kernel hands out (ip_local_port_range begins at 32768): it is a while before the command listens.
    private static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(20_000, 32_000);
            try
            {
                using var socket = new TcpListener(IPAddress.Loopback, port);
                socket.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }
    }
}
