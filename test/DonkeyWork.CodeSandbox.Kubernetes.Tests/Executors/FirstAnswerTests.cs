using System.Net;
using System.Net.Sockets;
using DonkeyWork.CodeSandbox.Kubernetes.Executors;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Executors;

public sealed class FirstAnswerTests
{
    private static readonly Uri Address = new("http://10.1.2.3:8666/");

    private static HttpRequestException RefusedDirectly =>
        new(HttpRequestError.ConnectionError, "refused", new SocketException((int)SocketError.ConnectionRefused));

    private static HttpRequestException RefusedByProxy => new(HttpRequestError.ConnectionError, "refused", statusCode: HttpStatusCode.InternalServerError);

    private static HttpRequestException Forbidden => new(HttpRequestError.ConnectionError, "forbidden", statusCode: HttpStatusCode.Forbidden);

    public static TheoryData<string> Refusals => ["directly", "by the proxy"];

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Nothing_is_sent_before_the_executor_listens_and_then_nothing_is_asked_first(string how)
    {
        using var executor = new Executor { Refusals = 3, Refusal = how == "directly" ? RefusedDirectly : RefusedByProxy };
        using var http = new HttpMessageInvoker(new FirstAnswer(executor, Address));

        await SendAsync(http, "api/execute");
        await SendAsync(http, "api/execute");

        executor.Asked.ShouldBe(["/healthz", "/healthz", "/healthz", "/healthz", "/api/execute", "/api/execute"]);
    }

    [Fact]
    public async Task What_is_not_a_refusal_is_told_at_once()
    {
        using var executor = new Executor { Refusals = 1, Refusal = Forbidden };
        using var http = new HttpMessageInvoker(new FirstAnswer(executor, Address));

        (await Should.ThrowAsync<HttpRequestException>(() => SendAsync(http, "api/execute"))).Message.ShouldBe("forbidden");
        executor.Asked.ShouldBe(["/healthz"]);
    }

    [Fact]
    public async Task One_that_never_listens_is_given_up()
    {
        using var executor = new Executor { Refusals = int.MaxValue, Refusal = RefusedDirectly };
        using var http = new HttpMessageInvoker(new FirstAnswer(executor, Address));

        (await Should.ThrowAsync<HttpRequestException>(() => SendAsync(http, "api/execute"))).Message.ShouldBe("refused");
        executor.Asked.ShouldAllBe(path => path == "/healthz");
    }

    private static async Task SendAsync(HttpMessageInvoker http, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Address, path));
        using var response = await http.SendAsync(request, CancellationToken.None);
    }

    private sealed class Executor : HttpMessageHandler
    {
        public required int Refusals { get; set; }

        public required HttpRequestException Refusal { get; init; }

        public List<string> Asked { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Asked.Add(request.RequestUri!.AbsolutePath);
            return Refusals-- > 0 ? throw Refusal : Task.FromResult(new HttpResponseMessage());
        }
    }
}
