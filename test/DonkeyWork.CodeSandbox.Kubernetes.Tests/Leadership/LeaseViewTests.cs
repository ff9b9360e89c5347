using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Leadership;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Leadership;

/// <summary>When a lease may be taken, by a clock that stands still.</summary>
public sealed class LeaseViewTests
{
    private static readonly TimeSpan Written = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly DateTimeOffset Renewed = new(2001, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ManualClock _clock = new();
    private readonly LeaseView _view;

    public LeaseViewTests() => _view = new LeaseView("we", Written, _clock);

    [Fact]
    public async Task No_lease_at_all_is_free_with_the_first_epoch()
    {
        _view.Observe(null);

        (await FreeAsync()).ShouldBe(new FreeLease(null, 1));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("we")]
    public async Task What_is_nobodys_or_ours_is_free_at_once(string? holder)
    {
        var lease = Lease(holder, transitions: 4);
        _view.Observe(lease);

        (await FreeAsync()).ShouldBe(new FreeLease(lease, 5));
    }

    [Fact]
    public async Task Anothers_is_free_when_it_has_not_changed_for_as_long_as_it_says_whatever_times_stand_in_it()
    {
        _view.Observe(Lease("other", seconds: 5));
        _clock.Advance(TimeSpan.FromSeconds(4));
        var renewed = Lease("other", seconds: 5, renewed: Renewed.AddYears(40));
        _view.Observe(renewed);

        await IsFreeAfterAsync(TimeSpan.FromSeconds(5), renewed);
    }

    [Fact]
    public async Task The_same_told_again_or_changed_beside_its_words_does_not_prolong_it()
    {
        _view.Observe(Lease("other", seconds: 5));
        _clock.Advance(TimeSpan.FromSeconds(3));
        var again = Lease("other", seconds: 5, version: "labelled");
        _view.Observe(again);

        await IsFreeAfterAsync(TimeSpan.FromSeconds(2), again);
    }

    [Fact]
    public async Task A_lease_that_is_gone_was_its_holders_until_its_time_is_over()
    {
        _view.Observe(Lease("other", seconds: 5, transitions: 9));
        _clock.Advance(TimeSpan.FromSeconds(1));
        _view.Observe(null);

        (await IsFreeAfterAsync(TimeSpan.FromSeconds(4), null)).Epoch.ShouldBe(10);
    }

    [Theory]
    [InlineData(null, 12)]
    [InlineData(61, 60)]
    [InlineData(int.MaxValue, 60)]
    public async Task A_duration_that_no_Manager_writes_does_not_count(int? seconds, int waited)
    {
        var lease = Lease("other", seconds);
        _view.Observe(lease);

        await IsFreeAfterAsync(TimeSpan.FromSeconds(waited), lease);
    }

    [Fact]
    public async Task An_epoch_is_above_all_that_were_seen()
    {
        _view.Observe(Lease("other", seconds: 5, transitions: 9));
        _view.Observe(Lease("", seconds: 5, transitions: 2));

        (await FreeAsync()).Epoch.ShouldBe(10);
    }

    [Fact]
    public async Task Who_waits_for_an_end_goes_on_waiting_when_it_is_renewed_and_is_free_at_once_when_it_is_released()
    {
        _view.Observe(Lease("other", seconds: 5));
        var free = FreeAsync();
        await _clock.TimerAsync(TimeSpan.FromSeconds(5) + Pause);
        _clock.Advance(TimeSpan.FromSeconds(4));
        _view.Observe(Lease("other", seconds: 5, renewed: Renewed.AddSeconds(1)));
        await _clock.TimerAsync(TimeSpan.FromSeconds(5) + Pause);
        free.IsCompleted.ShouldBeFalse();

        _view.Observe(Lease("", seconds: 5));

        (await free).Seen!.Spec.HolderIdentity.ShouldBe("");
    }

    [Fact]
    public async Task Ours_is_ours_until_another_word_is_told()
    {
        _view.Observe(Lease("we", transitions: 3));
        var ours = _view.WhileOursAsync(3, TimeSpan.FromSeconds(8), CancellationToken.None);
        await _clock.TimerAsync(TimeSpan.FromSeconds(8));
        _view.Observe(Lease("we", transitions: 3, renewed: Renewed.AddSeconds(1)));
        ours.IsCompleted.ShouldBeFalse();

        _view.Observe(Lease("we", transitions: 4));

        await ours.WaitAsync(Patience.Limit);
        _view.IsOurs(4).ShouldBeTrue();
    }

    private Task<FreeLease> FreeAsync() => _view.UntilFreeAsync(Pause, CancellationToken.None).WaitAsync(Patience.Limit);

    // And the pause longer: not all ask at once.
    private async Task<FreeLease> IsFreeAfterAsync(TimeSpan time, Lease? seen)
    {
        var free = FreeAsync();
        await _clock.TimerAsync(time + Pause);
        free.IsCompleted.ShouldBeFalse();
        _clock.Advance(time + Pause);
        var result = await free;
        result.Seen.ShouldBe(seen);
        return result;
    }

    private static Lease Lease(string? holder, int? seconds = 5, int? transitions = null, DateTimeOffset? renewed = null, string version = "1") => new(
        PoolLease.Name, "uid", version, new LeaseSpec { HolderIdentity = holder, LeaseDurationSeconds = seconds, LeaseTransitions = transitions, RenewTime = renewed ?? Renewed });
}
