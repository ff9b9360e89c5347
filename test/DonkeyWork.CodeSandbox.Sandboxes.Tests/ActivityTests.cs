using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>What is recorded of a sandbox's use, and what that may cost a command.</summary>
public sealed class ActivityTests : RelayedRequests
{
    [Fact]
    public async Task A_use_is_recorded_before_it_is_passed_on_and_then_not_for_thirty_seconds()
    {
        await UseAsync();
        Core.Backend.Changes.ShouldBe(0, "It was created just now.");

        Core.Clock.Advance(TimeSpan.FromSeconds(31));
        await UseAsync();
        await UseAsync();
        Core.Backend.Changes.ShouldBe(1);
        Core.Backend.Sandboxes[0].LastActivity.ShouldBe(Core.Clock.GetUtcNow());

        Core.Clock.Advance(TimeSpan.FromSeconds(31));
        await UseAsync();
        Core.Backend.Changes.ShouldBe(2);
    }

    [Fact]
    public async Task A_use_that_another_has_recorded_meanwhile_is_not_recorded_again()
    {
        Core.Clock.Advance(TimeSpan.FromSeconds(31));
        Core.Backend.BeforeChange = (seen, _) =>
        {
            Core.Backend.BeforeChange = (_, _) => Task.CompletedTask;
            Core.Backend.Set(seen.Name, sandbox => sandbox with { LastActivity = Core.Clock.GetUtcNow() });
            return Task.CompletedTask;
        };

        await UseAsync();

        Core.Backend.Changes.ShouldBe(1, "The one that lost.");
    }

    [Fact]
    public async Task ASandbox_that_is_gone_when_its_use_is_recorded_is_not_passed_anything()
    {
        Core.Clock.Advance(TimeSpan.FromSeconds(31));
        Core.Backend.HoldWatch();
        Core.Backend.Remove(Sandbox.Name);

        await FailsAsync(SendAsync(), ErrorCodes.SandboxNotFound);
        Core.Executor.HasCall.ShouldBeFalse();
    }

    [Fact]
    public async Task A_use_that_cannot_be_recorded_is_passed_on_all_the_same()
    {
        Core.Clock.Advance(TimeSpan.FromSeconds(31));
        Core.Backend.Outage = "unplugged";
        await UseAsync();
    }

    [Fact]
    public async Task A_backend_that_is_lost_after_it_has_refused_a_record_holds_no_command_up()
    {
        Core.Clock.Advance(TimeSpan.FromSeconds(31));
        Core.Backend.HoldWatch();
        Core.Backend.BeforeChange = (seen, _) =>
        {
            Core.Backend.Set(seen.Name, sandbox => sandbox);
            return Task.CompletedTask;
        };
        Core.Backend.BeforeRead = () =>
        {
            Core.Backend.Outage = "unplugged";
            return Task.CompletedTask;
        };

        await UseAsync();
    }

    [Fact]
    public async Task A_backend_that_is_known_to_be_lost_is_not_asked_to_record_anything()
    {
        Core.Clock.Advance(TimeSpan.FromSeconds(31));
        Core.Backend.Tell(new BackendLost(Core.Clock.GetUtcNow(), "unplugged"));
        // Observed in order: when the change behind it is seen, so is the loss.
        Core.Backend.MakeReady(Sandbox.Name);
        await Core.ViewAsync(Sandbox.Name, seen => seen!.Version != Sandbox.Version);
        var changes = Core.Backend.Changes;

        await UseAsync();

        Core.Backend.Changes.ShouldBe(changes);
    }

    [Fact]
    public async Task A_backend_that_does_not_answer_holds_a_command_up_for_two_seconds_and_no_longer()
    {
        Core.Clock.Advance(TimeSpan.FromSeconds(31));
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Core.Backend.BeforeChange = (_, cancellationToken) =>
        {
            asked.TrySetResult();
            return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        };
        var use = UseAsync();
        await asked.Task.WaitAsync(Patience.Limit);

        Core.Clock.Advance(TimeSpan.FromSeconds(2));

        await use;
    }

    [Fact]
    public async Task A_sandbox_that_is_being_deleted_when_its_use_is_recorded_is_not_passed_anything()
    {
        Core.Clock.Advance(TimeSpan.FromSeconds(31));
        Core.Backend.HoldWatch();
        // A backend's change takes what is being deleted as well, and says so.
        Core.Backend.BeforeChange = (seen, _) =>
        {
            Core.Backend.BeforeChange = (_, _) => Task.CompletedTask;
            Core.Backend.Set(seen.Name, sandbox => sandbox with { IsDeleting = true }, isNewVersion: false);
            return Task.CompletedTask;
        };

        await FailsAsync(SendAsync(), ErrorCodes.SandboxNotFound);
        Core.Executor.HasCall.ShouldBeFalse();
    }

    [Fact]
    public async Task A_use_of_a_sandbox_that_is_kept_for_longer_is_not_recorded()
    {
        var kept = await Core.Service.KeepAliveAsync(Sandbox.Name, 600, CancellationToken.None);
        Core.Clock.Advance(TimeSpan.FromMinutes(5));
        await UseAsync();
        Core.Backend.Sandboxes[0].ShouldBe(kept);
    }

    [Fact]
    public async Task What_is_asked_of_a_sandbox_of_the_pool_is_no_use_of_it()
    {
        Core.Clock.Advance(TimeSpan.FromSeconds(31));
        Core.Backend.Set(Sandbox.Name, sandbox => sandbox with { PoolStatus = PoolStatus.Warm });
        await Core.ViewAsync(Sandbox.Name, seen => seen!.PoolStatus == PoolStatus.Warm);

        await UseAsync();

        Core.Backend.Changes.ShouldBe(0);
    }

    private async Task UseAsync()
    {
        var sending = SendAsync();
        await (await Core.Executor.NextCallAsync()).AnswerAsync("200 OK", "application/json", "{}");
        using var response = await sending;
        await ReadAsync(response);
    }
}
