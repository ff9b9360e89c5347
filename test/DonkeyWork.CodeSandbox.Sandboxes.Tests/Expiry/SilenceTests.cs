using System.Text;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests.Expiry;

/// <summary>An executor that does not answer is given up, but not before it had its time.</summary>
public sealed class SilenceTests : Sweeps
{
    [Fact]
    public async Task A_silent_executor_is_given_up_after_ninety_seconds_of_silence()
    {
        var sandbox = await IdleAsync();
        await SweepSilentAsync();
        Clock.Advance(Silence - TimeSpan.FromTicks(1));
        await SweepSilentAsync();
        Lives(sandbox).ShouldBeTrue();

        Clock.Advance(TimeSpan.FromTicks(1));
        await SweepSilentAsync();

        Lives(sandbox).ShouldBeFalse();
    }

    [Fact]
    public async Task An_answer_ends_the_silence()
    {
        var sandbox = await IdleAsync();
        await SweepSilentAsync();
        await SweepAsync(Running);
        Clock.Advance(Idle);

        await SweepSilentAsync();

        Lives(sandbox).ShouldBeTrue();
    }

    [Fact]
    public async Task A_use_ends_the_silence()
    {
        var sandbox = await IdleAsync();
        await SweepSilentAsync();
        await ChangeAsync(sandbox.Name, seen => seen with { LastActivity = Clock.GetUtcNow() });
        await SweepUnaskedAsync();
        Clock.Advance(Idle);

        await SweepSilentAsync();

        Lives(sandbox).ShouldBeTrue();
    }

    [Fact]
    public async Task A_wall_clock_that_is_set_makes_no_executor_silent()
    {
        var clock = new SetClock(Clock);
        await using var manager = await SweepingManager.StartAsync(Backend, clock, Options with { IdleTimeoutMinutes = 60, MaxContainerLifetimeMinutes = 1440 });
        var sandbox = await PutAsync();
        await manager.ViewAsync(sandbox.Name, seen => seen?.Version == sandbox.Version);
        clock.SetForward = TimeSpan.FromHours(2);
        await SweepSilentAsync(by: manager);
        clock.SetForward += TimeSpan.FromHours(2);

        await SweepSilentAsync(by: manager);

        Lives(sandbox).ShouldBeTrue();
    }

    [Fact]
    public async Task While_the_backend_is_lost_nobody_is_asked_and_silence_does_not_count()
    {
        var sandbox = await IdleAsync();
        await SweepSilentAsync();
        Backend.Tell(new BackendLost(Clock.GetUtcNow(), "unplugged"));
        await ChangeAsync(sandbox.Name, seen => seen);
        Manager.Registry.IsCurrent.ShouldBeFalse();
        Clock.Advance(Silence);
        await SweepUnaskedAsync();

        Backend.Tell(new SandboxListed(Backend.Sandboxes));
        await ChangeAsync(sandbox.Name, seen => seen);
        await SweepSilentAsync();
        Lives(sandbox).ShouldBeTrue();

        Clock.Advance(Silence);
        await SweepSilentAsync();
        Lives(sandbox).ShouldBeFalse();
    }

    [Fact]
    public async Task An_executor_that_never_ends_its_answer_is_cut_off_after_five_seconds()
    {
        var sandbox = await IdleAsync();
        var sweep = Manager.SweepAsync();
        var call = await Executor.NextCallAsync();
        await call.StartAsync("application/json");
        await call.ChunkAsync("{");
        await Clock.TimerAsync(TimeSpan.FromSeconds(5)).WaitAsync(Patience.Limit);

        Clock.Advance(TimeSpan.FromSeconds(5));

        await sweep;
        await call.DisconnectedAsync();
        Lives(sandbox).ShouldBeTrue();
    }

    [Fact]
    public async Task An_executor_that_is_not_there_is_silent_too()
    {
        var sandbox = await IdleAsync();
        Backend.Executor = new Uri("http://127.0.0.1:1/");
        await Manager.SweepAsync();
        Lives(sandbox).ShouldBeTrue();
        Clock.Advance(Silence);

        await Manager.SweepAsync();

        Lives(sandbox).ShouldBeFalse();
    }

    public static TheoryData<string> Nonsense => new(
    [
        Ok(""),
        Ok("null"),
        Ok("[]"),
        Ok("7"),
        Ok("{}"),
        Ok("""{"running":0,"openStreams":0}"""),
        Ok("""{"running":-1,"openStreams":0,"flavour":"x"}"""),
        Ok("""{"running":0,"openStreams":-1,"flavour":"x"}"""),
        Ok("""{"running":"0","openStreams":0,"flavour":"x"}"""),
        Ok("""{"running":1e99,"openStreams":0,"flavour":"x"}"""),
        Ok("""{"running":true,"openStreams":0,"flavour":"x"}"""),
        Ok("""{"running":0,"openStreams":0,"flavour":"x","lastActivity":"tomorrow"}"""),
        Ok("""{"running":0,"openStreams":0,"flavour":"x","lastActivity":"9999-12-31T23:59:59-14:00"}"""),
        Ok("""{"running":0,"openStreams":0,"flavour":"x","lastActivity":"0001-01-01T00:00:00+14:00"}"""),
        Ok("""{"running":0,"openStreams":0,"flavour":"\ud800"}"""),
        Ok("{\"running\":0,\"openStreams\":0,\"flavour\":\"\u00ff\"}"),
        Ok(Running + Running),
        Ok(new string('[', 4000)),
        Ok($$"""{"running":1,"openStreams":0,"flavour":"{{new string('x', 4096)}}"}"""),
        $"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n{new string(' ', 5000)}",
        $"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{Running}",
        $"HTTP/1.1 204 No Content\r\n\r\n",
        $"HTTP/1.1 206 Partial Content\r\nContent-Length: {Running.Length}\r\n\r\n{Running}",
        $"HTTP/1.1 302 Found\r\nLocation: /api/stats\r\nContent-Length: {Running.Length}\r\n\r\n{Running}",
        $"HTTP/1.1 401 Unauthorized\r\nContent-Length: {Running.Length}\r\n\r\n{Running}",
        $"HTTP/1.1 409 Conflict\r\nContent-Length: {Running.Length}\r\n\r\n{Running}",
        $"HTTP/1.1 409 Conflict\r\nContent-Length: {Unclaimed.Length}\r\n\r\n{Unclaimed}",
        $"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
        $"HTTP/1.1 999 \r\nContent-Length: 0\r\n\r\n",
        $"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        $"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        $"HTTP/1.1 200 OK\r\n{string.Concat(Enumerable.Repeat($"X-More: {new string('x', 1000)}\r\n", 100))}\r\n",
        "SSH-2.0-OpenSSH_10.0\r\n",
    ]);

    [Theory]
    [MemberData(nameof(Nonsense))]
    public async Task What_is_no_plain_answer_counts_as_none(string response)
    {
        var sandbox = await IdleAsync();
        await AnswerAsync(response);
        Stored(sandbox.Name)!.LastActivity.ShouldBeNull("It says nothing of a use.");

        Clock.Advance(Silence);
        await AnswerAsync(response);

        Lives(sandbox).ShouldBeFalse();
        Executor.HasCall.ShouldBeFalse("Nothing is followed.");
    }

    [Fact]
    public async Task A_sandbox_of_the_pool_that_is_not_ready_any_more_goes_when_it_stays_so()
    {
        var sandbox = await PutAsync(PoolStatus.Warm, ready => ready with { IsReady = false });
        await SweepUnaskedAsync();
        Clock.Advance(Silence);
        await ChangeAsync(sandbox.Name, seen => seen with { IsReady = true });
        await SweepUnaskedAsync();
        await ChangeAsync(sandbox.Name, seen => seen with { IsReady = false });
        await SweepUnaskedAsync();
        Lives(sandbox).ShouldBeTrue("It was ready in between.");

        Clock.Advance(Silence);
        await SweepUnaskedAsync();

        Lives(sandbox).ShouldBeFalse();
    }

    private static string Ok(string body) => $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {Encoding.Latin1.GetByteCount(body)}\r\n\r\n{body}";

    private async Task<Sandbox> IdleAsync()
    {
        var sandbox = await PutAsync();
        Clock.Advance(Idle);
        return sandbox;
    }

    private async Task AnswerAsync(string response)
    {
        var sweep = Manager.SweepAsync();
        var call = await Executor.NextCallAsync();
        await call.SendAsync(response);
        call.Close();
        await sweep;
    }

    /// <summary>A wall clock that somebody sets, over a monotonic one that nobody can.</summary>
    private sealed class SetClock(TimeProvider clock) : TimeProvider
    {
        public TimeSpan SetForward { get; set; }

        public override long TimestampFrequency => clock.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow() + SetForward;

        public override long GetTimestamp() => clock.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            clock.CreateTimer(callback, state, dueTime, period);
    }
}
