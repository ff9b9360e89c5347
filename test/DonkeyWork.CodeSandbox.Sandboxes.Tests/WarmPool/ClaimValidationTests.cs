using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>What a claim may ask for; what it may not costs nothing.</summary>
public sealed class ClaimValidationTests : IAsyncLifetime
{
    private PoolCore _pool = null!;

    public async Task InitializeAsync() => _pool = await PoolCore.UnledAsync(1);

    public async Task DisposeAsync() => await _pool.DisposeAsync();

    public static TheoryData<AllocateRequest, string> Wrong => new()
    {
        { new(), "userId" },
        { new() { UserId = "" }, "userId" },
        { new() { UserId = new('x', 257) }, "userId" },
        { new() { UserId = "a\0b" }, "userId" },
        { new() { UserId = "a\n" }, "userId" },
        { new() { UserId = "a\u0085" }, "userId" },
        { new() { UserId = "a\ud83d" }, "userId" },
        { new() { UserId = "a", ClaimId = "" }, "claimId" },
        { new() { UserId = "a", ClaimId = new('x', 257) }, "claimId" },
        { new() { UserId = "a", ClaimId = "\t" }, "claimId" },
        { new() { UserId = "a", TimeoutSeconds = 0 }, "timeoutSeconds" },
        { new() { UserId = "a", TimeoutSeconds = (15 * 60) + 1 }, "timeoutSeconds" },
        { new() { UserId = "a", WaitSeconds = -1 }, "waitSeconds" },
        { new() { UserId = "a", WaitSeconds = 301 }, "waitSeconds" },
        { new() { UserId = "a", Labels = new Dictionary<string, string> { ["pool-status"] = "warm" } }, "labels.pool-status" },
        { new() { UserId = "a", EnvironmentVariables = new Dictionary<string, string> { ["1"] = "x" } }, "environmentVariables.1" },
        { new() { UserId = "a", EnvironmentVariables = new Dictionary<string, string> { ["A"] = new('x', 65_536) } }, "environmentVariables" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task A_wrong_field_is_named_and_nothing_is_claimed(AllocateRequest request, string field)
    {
        (await Should.ThrowAsync<InvalidSandboxException>(_pool.ClaimAsync(request))).Errors.Keys.ShouldBe([field]);
        (_pool.Backend.Changes, _pool.Backend.Lists).ShouldBe((0, 0));
    }

    [Fact]
    public async Task All_wrong_fields_are_named_at_once() =>
        (await Should.ThrowAsync<InvalidSandboxException>(_pool.ClaimAsync(new AllocateRequest { ClaimId = "", TimeoutSeconds = 0, WaitSeconds = 999 })))
            .Errors.Keys.ShouldBe(["userId", "claimId", "timeoutSeconds", "waitSeconds"]);

    [Theory]
    [InlineData("x", 1)]
    [InlineData("anna@example/ü \"quoted\" 🦀", 1)]
    [InlineData("x", 256)]
    [InlineData("🦀", 256)]
    public async Task Any_printable_Unicode_is_a_user_id(string part, int times)
    {
        var user = string.Concat(Enumerable.Repeat(part, times));
        (await _pool.ClaimAsync(user)).Owner.ShouldBe(user);
    }
}
