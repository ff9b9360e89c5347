using System.Diagnostics;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Testing.Clusters;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;

/// <summary>What is sent again, and what never is.</summary>
[Collection(ControlCollection.Name)]
public sealed class RetryTests(ControlNamespace control) : IClassFixture<ControlNamespace>, IAsyncLifetime
{
    private ApiRelay _relay = null!;
    private TestClient _client = null!;

    public async Task InitializeAsync()
    {
        _relay = await ApiRelay.StartAsync(control.Server);
        _client = control.Through(_relay);
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _relay.DisposeAsync();
    }

    [Fact]
    public async Task A_throttled_create_comes_again_when_the_server_says_and_makes_one_pod()
    {
        _relay.Intercept = context => AnswerAsync(context, _relay.Requests.Count == 1, 429, retryAfter: 1);
        var start = Stopwatch.GetTimestamp();
        await CreateAsync("throttled");
        Stopwatch.GetElapsedTime(start).ShouldBeGreaterThan(TimeSpan.FromMilliseconds(990));
        _relay.Requests.Count.ShouldBe(2);
        (await control.Namespace.KubectlAsync("get", "pod", "throttled", "-o", "name")).Trim().ShouldBe("pod/throttled");
    }

    [Fact]
    public async Task A_server_that_wants_longer_than_a_request_may_take_is_told_of_at_once()
    {
        _relay.Intercept = context => AnswerAsync(context, true, 429, retryAfter: 3600);
        var refusal = await Should.ThrowAsync<ApiException>(CreateAsync("later"));
        refusal.IsThrottled.ShouldBeTrue();
        refusal.RetryAfter.ShouldBe(TimeSpan.FromHours(1));
        _relay.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_read_is_repeated_after_a_failure_of_the_server_and_a_write_is_not()
    {
        _relay.Intercept = context => AnswerAsync(context, _relay.Requests.Count <= 2, 503);
        (await _client.Client.Pods.ListAsync("app=nobody", default)).ShouldBeEmpty();
        _relay.Requests.Count.ShouldBe(3);

        _relay.Intercept = context => AnswerAsync(context, true, 503);
        (await Should.ThrowAsync<ApiException>(CreateAsync("once"))).StatusCode.ShouldBe(503);
        _relay.Requests.Count.ShouldBe(4);
        var attempts = _relay.Requests.Count;
        (await Should.ThrowAsync<ApiException>(_client.Client.Pods.GetAsync("once", default))).StatusCode.ShouldBe(503);
        _relay.Requests.Count.ShouldBe(attempts + 4);
    }

    [Fact]
    public async Task A_create_that_met_others_on_the_quota_comes_again_and_one_that_met_another_pod_does_not()
    {
        _relay.Intercept = context => ConflictAsync(context, _relay.Requests.Count <= 2, "resourcequotas");
        await CreateAsync("crowded");
        _relay.Requests.Count.ShouldBe(3);

        _relay.Intercept = context => ConflictAsync(context, true, "pods");
        (await Should.ThrowAsync<ApiException>(CreateAsync("met"))).IsConflict.ShouldBeTrue();
        _relay.Requests.Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_create_whose_answer_is_lost_says_that_it_may_have_happened_and_is_not_repeated()
    {
        _relay.PassOn = (context, _) => Task.FromResult(context.Request.Method != "POST");
        var unknown = await Should.ThrowAsync<ApiUnreachableException>(CreateAsync("unknown"));
        unknown.MayHaveBeenSent.ShouldBeTrue();
        _relay.Requests.Count.ShouldBe(1);
        (await control.Namespace.KubectlAsync("get", "pod", "unknown", "-o", "name")).Trim().ShouldBe("pod/unknown");
    }

    [Fact]
    public async Task Where_nobody_listens_nothing_has_been_sent()
    {
        using var nobody = control.At("http://127.0.0.1:9");
        (await Should.ThrowAsync<ApiUnreachableException>(nobody.Client.Pods.CreateAsync(Manifests.Pod("x"), Manifests.Type, default))).MayHaveBeenSent.ShouldBeFalse();
    }

    [Fact]
    public async Task What_is_no_API_server_is_no_answer()
    {
        _relay.Intercept = async context =>
        {
            await context.Response.WriteAsync("<html>Please log in</html>");
            return true;
        };
        (await Should.ThrowAsync<ApiUnreachableException>(CreateAsync("portal"))).Message.ShouldContain("not JSON");
    }

    private static async Task<bool> AnswerAsync(HttpContext context, bool refuse, int status, int? retryAfter = null)
    {
        if (!refuse) return false;
        context.Response.StatusCode = status;
        if (retryAfter is { } seconds) context.Response.Headers.RetryAfter = $"{seconds}";
        await context.Response.WriteAsync("Too many requests, please try again later.");
        return true;
    }

    private static async Task<bool> ConflictAsync(HttpContext context, bool refuse, string kind)
    {
        if (!refuse) return false;
        context.Response.StatusCode = StatusCodes.Status409Conflict;
        await context.Response.WriteAsync(
            $$"""{"kind":"Status","status":"Failure","reason":"Conflict","code":409,"message":"the object has been modified","details":{"name":"x","kind":"{{kind}}"} }""");
        return true;
    }

    private Task<PodView> CreateAsync(string name) => _client.Client.Pods.CreateAsync(Manifests.Pod(name), Manifests.Type, default);
}
