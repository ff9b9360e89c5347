using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Executors;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Executors;

public sealed class ExecutorConnectionTests
{
    [Theory]
    [InlineData("10.1.2.3", "http://10.1.2.3:8666/")]
    [InlineData("fd00::1:2", "http://[fd00::1:2]:8666/")]
    public void An_executor_is_found_at_its_pods_address(string podIP, string expected) =>
        ExecutorConnections.AddressOf(podIP).AbsoluteUri.ShouldBe(expected);

    [Fact]
    public async Task What_streams_when_its_sandbox_goes_breaks_and_nothing_is_sent_afterwards()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = BeginResponseAsync(listener);
        var connection = new ExecutorConnection(new Uri($"http://{listener.LocalEndpoint}/"), configure =>
        {
            var handler = new SocketsHttpHandler();
            configure(handler);
            return handler;
        });
        using var limit = new CancellationTokenSource(Patience.Limit);
        using var request = new HttpRequestMessage(HttpMethod.Get, connection.Endpoint.BaseAddress);
        using var response = await connection.Endpoint.Http.SendAsync(request, limit.Token);
        await using var body = await response.Content.ReadAsStreamAsync(limit.Token);
        var buffer = new byte[100];
        (await body.ReadAsync(buffer, limit.Token)).ShouldBe(5);
        var next = body.ReadAsync(buffer, limit.Token).AsTask();

        // Nobody else ends it: the other end is silent and stays.
        connection.Dispose();

        await Should.ThrowAsync<IOException>(() => next);
        using var late = new HttpRequestMessage(HttpMethod.Get, connection.Endpoint.BaseAddress);
        await Should.ThrowAsync<Exception>(() => connection.Endpoint.Http.SendAsync(late, limit.Token));
        (await serving).Dispose();
    }

    [Fact]
    public async Task Through_the_pod_proxy_the_query_of_an_upgrade_goes_in_a_header_too()
    {
        await using var server = new ScriptedExecutor();
        var options = new KubernetesOptions
        {
            ExecutorAccess = ExecutorAccess.ApiServerProxy,
            Connection = new ConnectionOptions { ServerUrl = server.Address.AbsoluteUri, Token = "t" },
        };
        using var cluster = ClusterConnection.Load(options.Connection, TimeProvider.System);
        using var connections = new ExecutorConnections(cluster, options);
        var executor = connections.Of(ExecutorAccessTests.NobodysSandbox());

        await AnswerHealthAsync();
        (await QueryHeaderAsync(WebSocketHandshake.Ask)).ShouldBe("?execution=a%20b&cols=80");
        (await QueryHeaderAsync(_ => { })).ShouldBeNull();

        async Task AnswerHealthAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(executor.BaseAddress, "healthz"));
            var sending = executor.Http.SendAsync(request, CancellationToken.None);
            await (await server.NextCallAsync()).AnswerAsync("200 OK", "text/plain", "");
            (await sending).Dispose();
        }

        async Task<string?> QueryHeaderAsync(Action<HttpRequestHeaders> ask)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(executor.BaseAddress, "api/terminal?execution=a%20b&cols=80"));
            ask(request.Headers);
            using var limit = new CancellationTokenSource(Patience.Limit);
            var sending = executor.Http.SendAsync(request, limit.Token);
            var call = await server.NextCallAsync();
            await call.AnswerAsync("404 Not Found", Problem.MediaType, "{}");
            using var response = await sending;
            return call.Header(ExecutorProtocol.QueryHeader);
        }
    }

    private static async Task<TcpClient> BeginResponseAsync(TcpListener listener)
    {
        var client = await listener.AcceptTcpClientAsync();
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n5\r\nhello\r\n"));
        return client;
    }
}
