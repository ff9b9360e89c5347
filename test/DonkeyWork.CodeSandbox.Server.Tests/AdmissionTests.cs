using System.Net;
using System.Security.Cryptography;
using System.Text;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests;

public sealed class AdmissionTests
{
    private const string Token = "a1b2c3";

    private static readonly Dictionary<string, string> TokenHash = new()
    {
        [ExecutorProtocol.TokenHashVariable] = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Token))),
    };

    [Fact]
    public async Task Without_the_token_only_health_is_told()
    {
        await using var container = await ExecutorContainer.StartAsync(KillMode.Cgroup, new ContainerOptions { Environment = TokenHash });

        (await container.Api.IsHealthyAsync()).ShouldBeTrue();
        foreach (var token in (string?[])[null, "", "wrong", Token + "x", Token.ToUpperInvariant(), TokenHash[ExecutorProtocol.TokenHashVariable]])
        {
            foreach (var path in (string[])["/api/execute", "/api/claim", "/api/stats", "/nothing"])
            {
                using var response = await container.Api.SendAsync(
                    HttpMethod.Post, path, new StringContent("{\"command\":\"touch /tmp/ran\"}", Encoding.UTF8, "application/json"), token);
                await RequestTests.ProblemAsync(response, HttpStatusCode.Unauthorized, ErrorCodes.Unauthorized);
            }
        }

        using var allowed = await container.Api.SendAsync(
            HttpMethod.Post, "/api/execute", new StringContent("""{"command":"ls /tmp; echo end"}""", Encoding.UTF8, "application/json"), Token);
        var lines = new List<string>();
        await foreach (var item in ExecutorApi.ReadAsync(allowed))
        {
            if (item.Event is OutputEvent line)
                lines.Add(line.Data);
        }

        lines.ShouldBe(["end"]);
    }

    [Fact]
    public async Task A_sandbox_of_the_pool_runs_nothing_until_it_is_claimed_and_is_claimed_once()
    {
        await using var container = await ExecutorContainer.StartAsync(KillMode.Cgroup, new ContainerOptions
        {
            Environment = new Dictionary<string, string>
            {
                [ExecutorProtocol.PoolVariable] = "1",
                [ExecutorProtocol.StartVariable] = """{"environment":{"GIVEN":"start","BOTH":"start"},"argv":["touch","/tmp/started"]}""",
            },
        });
        foreach (var path in (string[])["/api/execute", "/api/stats", "/nothing"])
        {
            using var refused = await container.Api.PostAsync(path, """{"command":"true"}""");
            await RequestTests.ProblemAsync(refused, HttpStatusCode.Conflict, ErrorCodes.NotClaimed);
        }

        container.Processes().Count.ShouldBe(1);
        using (var wrong = await container.Api.PostAsync("/api/claim", """{"environment":{"A B":""}}"""))
            await RequestTests.ProblemAsync(wrong, HttpStatusCode.BadRequest, ErrorCodes.InvalidRequest);
        var claims = await Task.WhenAll(Enumerable.Range(0, 8).Select(
            number => container.Api.PostAsync("/api/claim", $$$"""{"owner":"o","environment":{"BOTH":"claim{{{number}}}"}}""")));
        claims.Count(claim => claim.StatusCode == HttpStatusCode.OK).ShouldBe(1);
        var winner = Array.FindIndex(claims, claim => claim.StatusCode == HttpStatusCode.OK);
        (await claims[winner].Content.ReadAsStringAsync()).ShouldBe("{}");
        foreach (var loser in claims.Where(claim => claim.StatusCode != HttpStatusCode.OK))
            await RequestTests.ProblemAsync(loser, HttpStatusCode.Conflict, ErrorCodes.AlreadyClaimed);

        (await container.Api.RunAsync("until [ -e /tmp/started ]; do sleep 0.05; done; echo $GIVEN $BOTH", 30)).Stdout.ShouldBe($"start claim{winner}\n");
    }

    [Fact]
    public async Task A_claim_that_is_made_again_is_told_from_anybody_elses()
    {
        await using var container = await ExecutorContainer.StartAsync(KillMode.Cgroup, new ContainerOptions
        {
            Environment = new Dictionary<string, string> { [ExecutorProtocol.PoolVariable] = "1" },
        });
        using (var first = await container.Api.PostAsync("/api/claim", """{"owner":"anna","claimId":"1"}"""))
            first.StatusCode.ShouldBe(HttpStatusCode.OK);

        await AnswersAsync(container, """{"owner":"anna","claimId":"1"}""", isSame: true);
        await AnswersAsync(container, """{"owner":"anna","claimId":"2"}""", isSame: false);
        await AnswersAsync(container, """{"owner":"ben","claimId":"1"}""", isSame: false);
        await AnswersAsync(container, """{"owner":"anna"}""", isSame: false);
    }

    [Fact]
    public async Task A_sandbox_that_was_created_for_a_claim_knows_it()
    {
        await using var container = await ExecutorContainer.StartAsync(KillMode.Reaper, new ContainerOptions
        {
            Environment = new Dictionary<string, string> { [ExecutorProtocol.StartVariable] = """{"owner":"anna","claimId":"1"}""" },
        });

        await AnswersAsync(container, """{"owner":"anna","claimId":"1"}""", isSame: true);
        await AnswersAsync(container, "{}", isSame: false);
    }

    private static async Task AnswersAsync(ExecutorContainer container, string claim, bool isSame)
    {
        using var refused = await container.Api.PostAsync("/api/claim", claim);
        await RequestTests.ProblemAsync(refused, HttpStatusCode.Conflict, ErrorCodes.AlreadyClaimed);
        refused.Headers.TryGetValues(ExecutorProtocol.SameClaimHeader, out var values);
        (values ?? []).ShouldBe(isSame ? ["true"] : []);
    }

    [Fact]
    public async Task A_sandbox_that_is_not_of_the_pool_is_born_claimed_and_starts_its_command()
    {
        await using var container = await ExecutorContainer.StartAsync(KillMode.Reaper, new ContainerOptions
        {
            Environment = new Dictionary<string, string>
            {
                [ExecutorProtocol.StartVariable] = """{"environment":{"GIVEN":"it's"},"argv":["bash","-c","seq 100000; echo \"$0|$GIVEN\" >/tmp/started; exec sleep 8181.8181","a b"]}""",
            },
        });

        using var claim = await container.Api.PostAsync("/api/claim", "{}");
        await RequestTests.ProblemAsync(claim, HttpStatusCode.Conflict, ErrorCodes.AlreadyClaimed);
        (await container.Api.RunAsync("until [ -s /tmp/started ]; do sleep 0.05; done; cat /tmp/started", 30)).Stdout.ShouldBe("a b|it's\n");
        (await container.Api.StatsAsync()).Running.ShouldBe(1);
    }
}
