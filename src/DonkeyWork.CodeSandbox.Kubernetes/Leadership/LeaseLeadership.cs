using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Sandboxes.Leadership;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Kubernetes.Leadership;

/// <summary>
/// Leads while it holds the lease <see cref="PoolLease.Name"/>; the epoch is the lease's <c>leaseTransitions</c>. Given up as
/// soon as the host begins to stop, so that another leads while this one drains.
/// </summary>
internal sealed partial class LeaseLeadership : ILeadership, IHostedService, IDisposable
{
    private readonly LeaseTiming _timing;
    private readonly ApiErrors _errors;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly PoolLease _lease;
    private readonly LeaseView _view;
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenRegistration _hostStopping;
    private TaskCompletionSource _change = NewSignal();
    private volatile HeldLease? _held;
    private string? _trouble;
    private Task _running = Task.CompletedTask;

    /// <param name="client">Of the namespace of the pods.</param>
    /// <param name="timing">The same for all Managers, at best.</param>
    /// <param name="errors">Has words for what goes wrong.</param>
    /// <param name="clock">A monotonic one.</param>
    /// <param name="logger">Is told of beginnings and ends.</param>
    /// <param name="lifetime">The host's.</param>
    public LeaseLeadership(
        KubernetesClient client, LeaseTiming timing, ApiErrors errors, TimeProvider clock, ILogger<LeaseLeadership> logger, IHostApplicationLifetime? lifetime = null)
    {
        (_timing, _errors, _clock, _logger) = (timing, errors, clock, logger);
        // The part behind the name makes it another after a restart, too.
        var self = $"{Environment.MachineName}-{Guid.NewGuid():N}";
        _lease = new PoolLease(client.Leases, self, timing, clock);
        _view = new LeaseView(self, timing.Written, clock);
        _hostStopping = lifetime?.ApplicationStopping.Register(_stopping.Cancel) ?? default;
    }

    /// <inheritdoc/>
    public LeadershipTerm? Current => !_stopping.IsCancellationRequested && _held is { Left.Ticks: > 0 } held ? held.Term : null;

    /// <inheritdoc/>
    public async Task<LeadershipTerm> WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var change = Volatile.Read(ref _change).Task;
            if (Current is { } term) return term;
            await change.WaitAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        _running = Task.WhenAll(KeepOnAsync(LeadAsync), KeepOnAsync(stop => _lease.WatchAsync(_view.Observe, stop)));
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _running.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _hostStopping.Dispose();
        _stopping.Dispose();
    }

    private async Task KeepOnAsync(Func<CancellationToken, Task> work)
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                await work(_stopping.Token);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Whatever it was: a Manager that can never lead again would leave the pool to the others for good.
                LogBroke(e);
            }

            await Task.Delay(_timing.NextAttempt(), _clock, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task LeadAsync(CancellationToken stopping)
    {
        using var held = await TakeAsync(stopping);
        var epoch = held.Term.Epoch;
        SetHeld(held);
        LogLeads(epoch);
        try
        {
            LogEnded(epoch, await HoldAsync(held, stopping));
        }
        finally
        {
            SetHeld(null);
            await held.EndAsync();
            if (stopping.IsCancellationRequested) await ReleaseAsync(epoch);
        }
    }

    private async Task<HeldLease> TakeAsync(CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                // Live: whatever made the last attempt fail, or was written by one that was not answered, shows here.
                _view.Observe(await _lease.ReadAsync(stopping));
                var free = await _view.UntilFreeAsync(_timing.NextTake(), stopping);
                var asked = _clock.GetTimestamp();
                // Not to be cut in the middle: what is taken must be released.
                _view.Observe(await _lease.TakeAsync(free, CancellationToken.None));
                _trouble = null;
                return new HeldLease(free.Epoch, asked, _timing.Sure, _clock);
            }
            catch (ApiException e) when (PoolLease.IsNotAsSeen(e))
            {
                // Another was faster, or we have not been told of what happened.
            }
            catch (Exception e) when (ApiErrors.IsOne(e))
            {
                Tell(e);
            }

            await Task.Delay(_timing.NextAttempt(), _clock, stopping);
        }
    }

    // Returns why it has ended.
    private async Task<string> HoldAsync(HeldLease held, CancellationToken stopping)
    {
        var epoch = held.Term.Epoch;
        await _view.WhileOursAsync(epoch, _timing.NextRenewal(), stopping);
        while (held.Left is { Ticks: > 0 } left)
        {
            try
            {
                // Whatever the watch has shown, which may be behind: what becomes of this says whether it is still ours.
                var asked = _clock.GetTimestamp();
                _view.Observe(await _lease.RenewAsync(epoch, Shorter(left, _timing.RequestLimit), stopping));
                held.Renewed(asked);
                _trouble = null;
                await _view.WhileOursAsync(epoch, Shorter(held.Left, _timing.NextRenewal()), stopping);
            }
            catch (ApiException e) when (PoolLease.IsNotAsSeen(e))
            {
                return "somebody else has taken or removed the lease";
            }
            catch (Exception e) when (ApiErrors.IsOne(e))
            {
                Tell(e);
                if (held.Left is { Ticks: > 0 } rest) await Task.Delay(Shorter(rest, _timing.NextAttempt()), _clock, stopping);
            }
        }

        return "the lease could not be renewed in time";
    }

    private async Task ReleaseAsync(int epoch)
    {
        try
        {
            await _lease.ReleaseAsync(epoch);
            LogReleased(epoch);
        }
        catch (ApiException e) when (PoolLease.IsNotAsSeen(e))
        {
            // Another's already.
        }
        catch (Exception e) when (ApiErrors.IsOne(e))
        {
            LogNotReleased(epoch, _errors.Of(e).Message);
        }
    }

    private void SetHeld(HeldLease? held)
    {
        _held = held;
        Interlocked.Exchange(ref _change, NewSignal()).TrySetResult();
    }

    // Once, however often it is tried.
    private void Tell(Exception e)
    {
        var trouble = _errors.Of(e).Message;
        if (trouble != _trouble) LogTrouble(trouble);
        _trouble = trouble;
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The lease is this Manager's, in epoch {Epoch}")]
    private partial void LogLeads(int epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "This Manager does not keep the pool any more, epoch {Epoch} has ended: {Reason}")]
    private partial void LogEnded(int epoch, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "This Manager has left the pool to others, in epoch {Epoch}")]
    private partial void LogReleased(int epoch);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lease of epoch {Epoch} could not be released, and has to run out: {Reason}")]
    private partial void LogNotReleased(int epoch, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The lease " + PoolLease.Name + " cannot be read or written: {Reason}")]
    private partial void LogTrouble(string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "The election broke, and goes on")]
    private partial void LogBroke(Exception exception);
}
