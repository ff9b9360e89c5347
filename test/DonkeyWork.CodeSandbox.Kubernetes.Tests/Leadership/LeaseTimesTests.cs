using DonkeyWork.CodeSandbox.Kubernetes.Leadership;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Leadership;

/// <summary>The times of an election, and a holder's own.</summary>
public sealed class LeaseTimesTests
{
    [Fact]
    public void Every_duration_leaves_room_for_a_second_renewal_and_for_a_follower_to_take_over()
    {
        for (var seconds = 5; seconds <= 60; seconds++)
        {
            var timing = new LeaseTiming(seconds);
            timing.WrittenSeconds.ShouldBeInRange(1, (int)(seconds * 0.8));
            timing.Sure.ShouldBe(timing.Written * 0.9);
            for (var draw = 0; draw < 1000; draw++)
            {
                (timing.NextRenewal() + timing.RequestLimit + timing.NextAttempt() + (timing.RequestLimit / 2)).ShouldBeLessThan(timing.Sure);
                (timing.Written + timing.NextTake() + timing.NextAttempt()).ShouldBeLessThan(TimeSpan.FromSeconds(seconds * 0.9));
            }
        }
    }

    [Fact]
    public async Task A_holder_counts_from_before_it_asked_and_a_renewal_that_comes_too_late_brings_nothing_back()
    {
        var clock = new ManualClock();
        using var held = new HeldLease(3, clock.GetTimestamp(), TimeSpan.FromSeconds(10), clock);
        clock.Advance(TimeSpan.FromSeconds(4));
        var asked = clock.GetTimestamp();
        clock.Advance(TimeSpan.FromSeconds(5));
        held.Renewed(asked);
        held.Left.ShouldBe(TimeSpan.FromSeconds(5));

        var late = clock.GetTimestamp();
        clock.Advance(TimeSpan.FromSeconds(5));
        held.Renewed(late);

        held.Left.ShouldBe(TimeSpan.Zero);
        held.Term.Ended.IsCancellationRequested.ShouldBeFalse();
        await held.EndAsync();
        held.Term.Ended.IsCancellationRequested.ShouldBeTrue();
    }
}
