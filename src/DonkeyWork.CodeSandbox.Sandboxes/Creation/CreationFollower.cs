using System.Threading.Channels;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;
using DonkeyWork.CodeSandbox.Sandboxes.Expiry;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Sandboxes.Creation;

/// <summary>
/// Follows one accepted sandbox until its executor answers, or deletes it: driven by changes of the registry, and by
/// asking the executor itself, never by polling the backend.
/// </summary>
internal sealed partial class CreationFollower(
    Sandbox created,
    CreationTimings timings,
    SandboxRegistry registry,
    SandboxService sandboxes,
    ExecutorHealth health,
    SandboxOptions options,
    TimeProvider clock,
    ILogger logger)
{
    private static readonly TimeSpan WaitingInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstHealthPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestHealthPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan DeletePatience = TimeSpan.FromSeconds(5);

    // Unbounded, but PodReadyTimeoutSeconds bounds what is ever written.
    private readonly Channel<CreationEvent> _events = Channel.CreateUnbounded<CreationEvent>();
    private readonly TimeSpan _deadline = TimeSpan.FromSeconds(options.PodReadyTimeoutSeconds);

    // Monotonic: a wall clock that is set must fail nobody's sandbox.
    private readonly long _begun = clock.GetTimestamp();

    private readonly Sandbox _created = created;
    private readonly ExpiryRules _rules = new(options);

    private Sandbox _seen = created;
    private int _attempts;
    private (SandboxPhase, string)? _told;
    private TimeSpan _toldAt;
    private string? _unhealthy;
    private TimeSpan _healthPause = FirstHealthPause;

    public IAsyncEnumerable<CreationEvent> Events => _events.Reader.ReadAllAsync();

    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            await FollowAsync(stopping);
            _events.Writer.TryComplete();
        }
        finally
        {
            // Without a last event a reader must not take the stream for complete.
            _events.Writer.TryComplete(new OperationCanceledException("The creation is no longer followed."));
        }
    }

    private async Task FollowAsync(CancellationToken stopping)
    {
        Tell(new SandboxCreated { PodName = _created.Name, Phase = _created.Phase.ToString() });
        TellWaiting();
        while (true)
        {
            timings.Note(_seen);
            // The view may be behind, and what is given up may be in use: asked live before that.
            if (_seen is { IsAlive: true, IsReady: false } && Elapsed >= _deadline)
            {
                _seen = await ReadLiveAsync(stopping);
                if (_seen.AcceptsCommands && await IsHealthyAsync(stopping)) return;
            }

            if (WhyItCannotBecomeReady() is { } reason)
            {
                await FailAsync(reason, stopping);
                return;
            }

            if (_seen.AcceptsCommands && await IsHealthyAsync(stopping)) return;
            TellWaiting();
            await NextAsync(stopping);
        }
    }

    private string? WhyItCannotBecomeReady() => _seen switch
    {
        { IsDeleting: true } => "It was deleted while it was being created.",
        { IsAlive: false } => _seen.Message ?? "It ended before it was ready.",
        _ when Elapsed >= _deadline => $"It was not ready within {options.PodReadyTimeoutSeconds} s: {((_seen.AcceptsCommands ? _unhealthy : null) ?? WaitsFor).TrimEnd('.')}.",
        _ => null,
    };

    private TimeSpan Elapsed => clock.GetElapsedTime(_begun);

    private string WaitsFor => _seen.AcceptsCommands ? "Waiting for the executor to answer" : _seen.Message ?? "Waiting for pod to be ready";

    // Until something changes, or it is time to tell, to ask the executor again, or to give up.
    private async Task NextAsync(CancellationToken stopping)
    {
        var now = Elapsed;
        var pause = Min(_toldAt + WaitingInterval - now, _deadline - now);
        if (_seen.AcceptsCommands)
        {
            pause = Min(pause, _healthPause);
            _healthPause = Min(_healthPause * 2, LongestHealthPause);
        }

        if (pause <= TimeSpan.Zero) return;
        var next = await registry.NextAsync(_created.Name, _seen, pause, stopping);
        if (next is null || next.Uid != _created.Uid) next = await ReadLiveAsync(stopping);
        _seen = next;
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    // The view may have missed it: what fails the caller is read live once.
    private async Task<Sandbox> ReadLiveAsync(CancellationToken stopping)
    {
        try
        {
            return await registry.ReadAsync(_created.Name, stopping) is { } live && live.Uid == _created.Uid ? live : _seen with { IsDeleting = true };
        }
        catch (BackendUnavailableException)
        {
            return _seen;
        }
    }

    private async Task<bool> IsHealthyAsync(CancellationToken stopping)
    {
        var wrong = await health.AskAsync(_seen, stopping);
        if (wrong is null)
        {
            Tell(new SandboxHealthCheck { PodName = _created.Name, IsHealthy = true, Message = "Executor API is healthy", PodIP = _seen.Address });
            var total = timings.Finish();
            LogReady(_created.Name, (long)total.TotalMilliseconds);
            Tell(new SandboxReady { PodName = _created.Name, ContainerInfo = _seen.ToInfo(_rules), ElapsedSeconds = Math.Round(total.TotalSeconds, 3), Timings = timings.Milliseconds });
            return true;
        }

        if (_unhealthy is null) Tell(new SandboxHealthCheck { PodName = _created.Name, IsHealthy = false, Message = wrong, PodIP = _seen.Address });
        _unhealthy = wrong;
        return false;
    }

    private void TellWaiting()
    {
        var now = Elapsed;
        if (!_seen.IsAlive || (_told == (_seen.Phase, WaitsFor) && now < _toldAt + WaitingInterval)) return;
        _told = (_seen.Phase, WaitsFor);
        _toldAt = now;
        Tell(new SandboxWaiting { PodName = _created.Name, AttemptNumber = ++_attempts, Phase = _seen.Phase.ToString(), Message = WaitsFor });
    }

    private async Task FailAsync(string reason, CancellationToken stopping)
    {
        LogFailed(_created.Name, reason);
        var info = _seen.ToInfo(_rules);
        var removal = sandboxes.RemoveInTheEndAsync(_created, stopping);
        // Told once it is deleted; but a backend that is away keeps nobody waiting.
        await removal.WaitAsync(DeletePatience, clock, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!stopping.IsCancellationRequested)
        {
            Tell(new SandboxFailed { PodName = _created.Name, Reason = reason, ContainerInfo = info });
            _events.Writer.TryComplete();
        }

        await removal;
    }

    private void Tell(CreationEvent creationEvent) => _events.Writer.TryWrite(creationEvent);

    [LoggerMessage(Level = LogLevel.Information, Message = "Sandbox {Name} is ready after {Milliseconds} ms")]
    private partial void LogReady(string name, long milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sandbox {Name} did not become ready and is deleted: {Reason}")]
    private partial void LogFailed(string name, string reason);
}
