using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Expiry;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>What is found, listed and believed, and what it costs.</summary>
public sealed class FindTests : IAsyncLifetime
{
    private Core _core = null!;

    public async Task InitializeAsync() => _core = await Core.StartAsync();

    public async Task DisposeAsync() => await _core.DisposeAsync();

    [Fact]
    public async Task What_the_view_has_costs_no_call()
    {
        var sandbox = await _core.CreateReadyAsync();

        (await _core.Service.FindAsync(sandbox.Name, default)).Name.ShouldBe(sandbox.Name);
        (await _core.Service.FindReadyAsync(sandbox.Name, default)).Name.ShouldBe(sandbox.Name);
        (await _core.Service.ListAsync(default)).ShouldHaveSingleItem();
        _core.Backend.Reads.ShouldBe(0);
    }

    [Fact]
    public async Task What_another_Manager_has_just_created_is_read_live_once()
    {
        _core.Backend.HoldWatch();
        await CreateElsewhereAsync("kata-sandbox-0000000a");

        (await _core.Service.FindAsync("kata-sandbox-0000000a", default)).Name.ShouldBe("kata-sandbox-0000000a");
        (await _core.Service.FindAsync("kata-sandbox-0000000a", default)).Name.ShouldBe("kata-sandbox-0000000a");
        _core.Backend.Reads.ShouldBe(1);
    }

    [Fact]
    public async Task A_state_that_would_fail_the_request_is_read_live_once()
    {
        var creation = await _core.CreateAsync();
        // What the watch has not told yet would follow the live read, and be older.
        _core.Backend.Set(creation.Sandbox.Name, sandbox => sandbox);
        await _core.ViewAsync(creation.Sandbox.Name, sandbox => sandbox!.Version != creation.Sandbox.Version);
        _core.Backend.HoldWatch();
        _core.Backend.MakeReady(creation.Sandbox.Name);

        (await _core.Service.FindReadyAsync(creation.Sandbox.Name, default)).IsReady.ShouldBeTrue();
        (await _core.Service.FindReadyAsync(creation.Sandbox.Name, default)).IsReady.ShouldBeTrue();
        _core.Backend.Reads.ShouldBe(1);
    }

    [Fact]
    public async Task A_sandbox_that_is_still_created_is_found_but_not_ready()
    {
        var creation = await _core.CreateAsync();

        (await _core.Service.FindAsync(creation.Sandbox.Name, default)).IsReady.ShouldBeFalse();
        var notReady = await Should.ThrowAsync<SandboxException>(() => _core.Service.FindReadyAsync(creation.Sandbox.Name, default));
        notReady.Code.ShouldBe(ErrorCodes.SandboxNotReady);
        notReady.RetryAfter.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_well_formed_unknown_name_is_read_once_and_not_found()
    {
        await NotFoundAsync("kata-sandbox-0123abcd");
        _core.Backend.Reads.ShouldBe(1);
    }

    [Theory]
    [InlineData("kata-sandbox-0123abc")]
    [InlineData("kata-sandbox-0123abcde")]
    [InlineData("kata-sandbox-0123ABCD")]
    [InlineData("kata-sandbox-0123abcg")]
    [InlineData("kata-sandbox-0123abc\n")]
    [InlineData("kata-sandbox_0123abcd")]
    [InlineData("other-0123abcd")]
    [InlineData("../kata-sandbox-0123abcd")]
    [InlineData("")]
    public async Task A_name_of_another_form_is_not_found_without_any_call(string name)
    {
        await NotFoundAsync(name);
        _core.Backend.Reads.ShouldBe(0);
    }

    [Theory]
    [InlineData(SandboxPhase.Failed, false)]
    [InlineData(SandboxPhase.Succeeded, false)]
    [InlineData(SandboxPhase.Running, true)]
    public async Task What_has_ended_or_is_being_deleted_is_neither_found_nor_listed(SandboxPhase phase, bool isDeleting)
    {
        var sandbox = await _core.CreateReadyAsync();
        _core.Backend.Set(sandbox.Name, seen => seen with { Phase = phase, IsDeleting = isDeleting });
        await _core.ViewAsync(sandbox.Name, seen => seen!.Phase == phase && seen.IsDeleting == isDeleting);

        await NotFoundAsync(sandbox.Name);
        (await _core.Service.ListAsync(default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_sandbox_whose_machine_is_lost_is_listed_and_deletable_and_its_executor_does_not_answer()
    {
        var sandbox = await _core.CreateReadyAsync();
        _core.Backend.Set(sandbox.Name, seen => seen with { IsReady = false, IsCutOff = true, Message = "Node n has stopped reporting." });
        await _core.ViewAsync(sandbox.Name, seen => seen!.IsCutOff);

        var refused = await Should.ThrowAsync<SandboxException>(() => _core.Service.FindReadyAsync(sandbox.Name, default));

        // Not "still being created": who is told that comes again, perhaps for ever.
        refused.Code.ShouldBe(ErrorCodes.ExecutorUnreachable);
        refused.Message.ShouldContain("Node n has stopped reporting.");
        (await _core.Service.ListAsync(default)).ShouldHaveSingleItem().ToInfo(new ExpiryRules(_core.Options)).IsReady.ShouldBeFalse();
        await _core.Service.DeleteAsync(sandbox.Name, default);
    }

    [Fact]
    public async Task A_new_listing_takes_away_what_is_gone_and_brings_what_is_new()
    {
        var gone = await _core.CreateReadyAsync();
        var listed = gone with { Name = "kata-sandbox-0000000b", Uid = "other" };
        _core.Backend.Tell(new BackendLost(_core.Clock.GetUtcNow(), "unplugged"));
        _core.Backend.Tell(new SandboxListed([listed]));

        await _core.ViewAsync(gone.Name, seen => seen is null);
        (await _core.Service.ListAsync(default)).ShouldHaveSingleItem().Name.ShouldBe(listed.Name);
        _core.Registry.IsCurrent.ShouldBeTrue();
    }

    [Fact]
    public async Task A_lost_backend_is_known_until_it_is_listed_again()
    {
        var sandbox = await _core.CreateReadyAsync();
        _core.Backend.Tell(new BackendLost(_core.Clock.GetUtcNow(), "unplugged"));
        // Observed in order: when the change behind it is seen, so is the loss.
        _core.Backend.MakeReady(sandbox.Name);
        await _core.ViewAsync(sandbox.Name, seen => seen!.Version != sandbox.Version);
        _core.Registry.IsCurrent.ShouldBeFalse();
        (await _core.Service.ListAsync(default)).ShouldHaveSingleItem();
    }

    private async Task CreateElsewhereAsync(string name)
    {
        var other = await Core.StartAsync();
        await other.CreateAsync();
        await _core.Backend.CreateAsync(other.Backend.Specs[0] with { Name = name }, default);
        await other.DisposeAsync();
    }

    private async Task NotFoundAsync(string name) =>
        (await Should.ThrowAsync<SandboxException>(() => _core.Service.FindAsync(name, default))).Code.ShouldBe(ErrorCodes.SandboxNotFound);
}
