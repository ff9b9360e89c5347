using System.Text.Json;
using DonkeyWork.CodeSandbox.Client.Tests.Wire;
using DonkeyWork.CodeSandbox.Contracts;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Client.Tests;

/// <summary>Claims of warm sandboxes: what is asked, what is asked again, and that nothing is left of a claim given up.</summary>
public sealed class AllocateTests : IAsyncLifetime, IDisposable
{
    private const string Asked = "POST /api/kata/allocate";

    private FakeManager _manager = null!;
    private CodeSandboxClient _client = null!;

    public async Task InitializeAsync()
    {
        _manager = await FakeManager.StartAsync();
        _client = new CodeSandboxClient(_manager.Address);
    }

    public async Task DisposeAsync() => await _manager.DisposeAsync();

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task A_claimed_sandbox_is_the_callers_until_it_is_disposed()
    {
        var sandbox = await _client.AllocateAsync("ada").OrFail();
        _manager.Sandboxes.Keys.ShouldBe([sandbox.Name]);
        (await sandbox.RunAsync("x").OrFail()).ExitCode.ShouldBe(0);

        await sandbox.DisposeAsync();

        _manager.Sandboxes.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_said_is_sent_and_what_is_not_is_left_out()
    {
        await _client.AllocateAsync("ada").OrFail();
        await _client.AllocateAsync("ada", new AllocateOptions
        {
            ClaimId = "one",
            EnvironmentVariables = new Dictionary<string, string> { ["A"] = "b" },
            Labels = new Dictionary<string, string> { ["team"] = "blue" },
            TimeoutSeconds = 60,
            WaitSeconds = 5,
            CreateIfExhausted = true,
        }).OrFail();

        var bodies = _manager.Server.Requests.Where(request => request.Line == Asked).Select(request => JsonDocument.Parse(request.Body).RootElement).ToList();
        bodies[0].EnumerateObject().Select(field => field.Name).ShouldBe(["userId", "claimId", "waitSeconds", "createIfExhausted"]);
        bodies[0].GetProperty("claimId").GetString()!.Length.ShouldBe(32);
        bodies[1].ToString().ShouldBe(
            """{"userId":"ada","claimId":"one","environmentVariables":{"A":"b"},"labels":{"team":"blue"},"timeoutSeconds":60,"waitSeconds":5,"createIfExhausted":true}""");
    }

    [Fact]
    public async Task Two_claims_without_an_id_are_two_sandboxes()
    {
        await using var one = await _client.AllocateAsync("ada").OrFail();
        await using var two = await _client.AllocateAsync("ada").OrFail();
        one.Name.ShouldNotBe(two.Name);
    }

    [Fact]
    public async Task An_exhausted_pool_is_told_and_not_asked_again()
    {
        _manager.OnAllocate = context =>
        {
            context.Response.Headers.RetryAfter = "3";
            return Sse.ProblemAsync(context, 503, "pool_exhausted");
        };

        var e = await Should.ThrowAsync<PoolExhaustedException>(_client.AllocateAsync("ada").OrFail());

        e.RetryAfter.ShouldBe(TimeSpan.FromSeconds(3));
        e.Code.ShouldBe(ErrorCodes.PoolExhausted);
        _manager.Asked(Asked).ShouldBe(1);
    }

    [Fact]
    public async Task An_answer_that_is_lost_is_asked_for_again_with_the_same_id_and_is_the_same_sandbox()
    {
        _manager.OnAllocate = async context =>
        {
            await _manager.AllocateAsync(new DefaultHttpContext { Request = { Body = context.Request.Body } });
            if (_manager.Asked(Asked) == 1) context.Abort();
            else await _manager.AllocateAsync(context);
        };

        await using var sandbox = await _client.AllocateAsync("ada").OrFail();

        _manager.Sandboxes.Keys.ShouldBe([sandbox.Name]);
        _manager.Asked(Asked).ShouldBe(2);
    }

    [Theory]
    [InlineData("stopping")]
    [InlineData("interrupted")]
    [InlineData("backend_unavailable")]
    public async Task A_Manager_that_cannot_serve_just_then_is_asked_again(string code)
    {
        _manager.OnAllocate = context => _manager.Asked(Asked) == 1 ? Sse.ProblemAsync(context, 503, code) : _manager.AllocateAsync(context);

        await using var sandbox = await _client.AllocateAsync("ada").OrFail();

        _manager.Asked(Asked).ShouldBe(2);
    }

    [Fact]
    public async Task It_is_asked_four_times_at_most_and_then_told()
    {
        var time = new ManualTime();
        await using var client = new CodeSandboxClient(_manager.Address, new CodeSandboxClientOptions { TimeProvider = time });
        _manager.OnAllocate = context => Sse.ProblemAsync(context, 503, "stopping");

        var allocating = client.AllocateAsync("ada");
        foreach (var pause in (TimeSpan[])[TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4)])
        {
            await time.HasSetAsync(pause, 1);
            time.Advance(pause);
        }

        (await Should.ThrowAsync<CodeSandboxException>(allocating.OrFail())).Code.ShouldBe(ErrorCodes.Stopping);
        _manager.Asked(Asked).ShouldBe(4);
    }

    [Fact]
    public async Task No_pause_outlasts_the_time_of_the_answer()
    {
        await using var client = new CodeSandboxClient(_manager.Address, new CodeSandboxClientOptions { TimeProvider = new ManualTime(), RequestTimeout = TimeSpan.FromMilliseconds(200) });
        _manager.OnAllocate = context => Sse.ProblemAsync(context, 503, "stopping");

        (await Should.ThrowAsync<CodeSandboxException>(client.AllocateAsync("ada").OrFail())).Code.ShouldBe(ErrorCodes.Stopping);
        _manager.Asked(Asked).ShouldBe(1);
    }

    [Theory]
    [InlineData(0, false, 60)]
    [InlineData(20, false, 80)]
    [InlineData(20, true, 380)]
    public async Task An_answer_has_the_time_that_was_given_to_wait_beside_its_own(int waitSeconds, bool create, int seconds)
    {
        var time = new ManualTime();
        await using var client = new CodeSandboxClient(_manager.Address, new CodeSandboxClientOptions { TimeProvider = time });
        _manager.OnAllocate = Sse.GoneAsync;

        var allocating = client.AllocateAsync("ada", new AllocateOptions { ClaimId = "one", WaitSeconds = waitSeconds, CreateIfExhausted = create });
        await time.HasSetAsync(TimeSpan.FromSeconds(seconds), 1);
        time.Advance(TimeSpan.FromSeconds(seconds));

        (await Should.ThrowAsync<CodeSandboxException>(allocating.OrFail())).Code.ShouldBe(ClientErrorCodes.RequestTimeout);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("mine")]
    public async Task A_claim_that_is_given_up_leaves_nothing_unless_its_id_is_the_callers(string? claimId)
    {
        var claimed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _manager.OnAllocate = async context =>
        {
            await _manager.AllocateAsync(new DefaultHttpContext { Request = { Body = context.Request.Body } });
            claimed.TrySetResult();
            if (_manager.Asked(Asked) == 1) await Sse.GoneAsync(context);
            else await _manager.AllocateAsync(context);
        };
        using var stop = new CancellationTokenSource();
        var allocating = _client.AllocateAsync("ada", new AllocateOptions { ClaimId = claimId, WaitSeconds = 60 }, stop.Token);
        await claimed.Task.OrFail();

        await stop.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(allocating.OrFail());
        _manager.Sandboxes.Count.ShouldBe(claimId is null ? 0 : 1);
        if (claimId is null) JsonDocument.Parse(_manager.Server.Requests.Last(request => request.Line == Asked).Body).RootElement.GetProperty("waitSeconds").GetInt32().ShouldBe(0);
    }

    [Fact]
    public async Task A_claim_that_is_given_up_before_it_begins_asks_nothing()
    {
        await Should.ThrowAsync<OperationCanceledException>(_client.AllocateAsync("ada", cancellationToken: new CancellationToken(true)).OrFail());
        _manager.Server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_sandbox_is_kept_for_whole_seconds()
    {
        await using var sandbox = await _client.AllocateAsync("ada").OrFail();

        (await sandbox.KeepAliveAsync(TimeSpan.FromSeconds(89.5)).OrFail()).Name.ShouldBe(sandbox.Name);

        _manager.Server.Requests.Last().Body.ShouldBe("""{"seconds":90}""");
        await sandbox.DeleteAsync().OrFail();
        await Should.ThrowAsync<SandboxNotFoundException>(sandbox.KeepAliveAsync(TimeSpan.Zero).OrFail());
    }

    [Fact]
    public async Task The_pool_tells_its_numbers()
    {
        var pool = await _client.GetPoolStatusAsync().OrFail();
        (pool.Creating, pool.Warm, pool.Allocated, pool.Manual, pool.Total, pool.TargetSize, pool.ReadyPercentage).ShouldBe((1, 2, 3, 4, 10, 5, 40));
    }
}
