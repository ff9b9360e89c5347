using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Local.Executors;
using DonkeyWork.CodeSandbox.Local.Host;
using DonkeyWork.CodeSandbox.Local.Posix;
using DonkeyWork.CodeSandbox.Local.Runtime;
using DonkeyWork.CodeSandbox.Local.State;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Local;

/// <summary>
/// Sandboxes as containers of this machine, started by an OCI runtime. Their state is kept beside them, so that a
/// Manager that starts again finds them.
/// </summary>
public sealed partial class LocalBackend : ISandboxBackend, IHostedService, IAsyncDisposable
{
    private readonly LocalOptions _options;
    private readonly StateDirectory _state;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly ExitWatcher _exits = new();
    private readonly RuntimeProcess _processes;
    private readonly SandboxFeed _feed = new();
    private readonly ConcurrentDictionary<string, LocalSandbox> _sandboxes = new(StringComparer.Ordinal);

    // More starts at once than this only make each of them slower.
    private readonly SemaphoreSlim _starts = new(2 * Environment.ProcessorCount);

    // The pool's take half of the places at most: somebody waits for each of the others.
    private readonly SemaphoreSlim _poolStarts = new(Environment.ProcessorCount);
    private readonly Lock _creates = new();
    private readonly CancellationTokenSource _givesUp = new();
    private LocalHost? _host;
    private OciRuntime? _runtime;
    private bool _isStopping;
    private volatile bool _isDisposed;

    /// <summary>A backend over one state directory; <see cref="StartAsync"/> has to come before anything else.</summary>
    public LocalBackend(LocalOptions options, StateDirectory state, TimeProvider time, ILogger<LocalBackend> log)
    {
        _options = options;
        _state = state;
        _time = time;
        _log = log;
        _processes = new RuntimeProcess(_exits);
    }

    private LocalHost Host => _host ?? throw new BackendUnavailableException("The Local backend has not been started, or is stopping.");

    private OciRuntime Runtime => _runtime ?? throw new BackendUnavailableException("The Local backend has not been started, or is stopping.");

    /// <summary>Probes the machine, adopts the sandboxes that still live, and removes the remains of the others.</summary>
    /// <exception cref="HostRequirementsException">This machine cannot run sandboxes as configured.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var host = await new HostRequirements(_options, _state, _processes).ProbeAsync();
        foreach (var note in host.Notes)
            Noted(note);
        _runtime = new OciRuntime(host.Runtime, _state, _processes);
        _host = host;
        await AdoptAsync(cancellationToken);
    }

    /// <summary>Removes all sandboxes, unless the operator keeps them.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_creates)
            _isStopping = true;
        if (_host is not null && !_options.KeepSandboxes)
            await Task.WhenAll(_sandboxes.Values.Select(sandbox => AcceptRemoval(sandbox, _ => true)!)).WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task<Sandbox?> ReadAsync(string name, CancellationToken cancellationToken) =>
        Task.FromResult(_sandboxes.GetValueOrDefault(name)?.State);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Sandbox>> ListOwnedAsync(string owner, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<Sandbox>>([.. _sandboxes.Values.Select(sandbox => sandbox.State).Where(state => state.Owner == owner)]);

    /// <inheritdoc/>
    public Task<Sandbox> ChangeAsync(Sandbox seen, SandboxChange change, ChangeCondition condition, CancellationToken cancellationToken)
    {
        // A last activity that is lost makes a sandbox look older than it is; everything else is a promise.
        var isPromise = change != new SandboxChange { LastActivity = change.LastActivity };
        var sandbox = Find(seen);
        try
        {
            var changed = isPromise ? sandbox?.Change(Changed) : sandbox?.Note(Changed);
            return changed is null ? throw new SandboxConflictException(seen.Name) : Task.FromResult(changed);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new BackendUnavailableException($"The change cannot be recorded: {failure.Message}", failure);
        }

        SandboxRecord? Changed(SandboxRecord record) => IsMet(record.Sandbox) && !record.Sandbox.IsDeleting
            ? record with { Sandbox = change.ApplyTo(record.Sandbox) }
            : null;

        bool IsMet(Sandbox now) => condition == ChangeCondition.StillWarm ? now.PoolStatus == PoolStatus.Warm : now.Version == seen.Version;
    }

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(Sandbox seen, DeleteCondition condition, CancellationToken cancellationToken)
    {
        if (!_sandboxes.TryGetValue(seen.Name, out var sandbox))
            return Task.FromResult(false);
        var removal = AcceptRemoval(sandbox, state =>
            state.Uid == seen.Uid && (condition == DeleteCondition.SameUid || state.Version == seen.Version));
        return removal is null ? throw new SandboxConflictException(seen.Name) : Task.FromResult(!removal.IsCompletedSuccessfully);
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<SandboxObservation> WatchAsync(CancellationToken cancellationToken) => _feed.WatchAsync(cancellationToken);

    /// <inheritdoc/>
    public ExecutorEndpoint Connect(Sandbox sandbox) => Find(sandbox)?.Connection.Endpoint ?? ExecutorEndpoint.Nobody;

    /// <summary>Lets go of everything in this process. Sandboxes that were not removed before stay, for the next one to adopt.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        lock (_creates)
            _isStopping = true;
        await _givesUp.CancelAsync();
        foreach (var sandbox in _sandboxes.Values)
        {
            Task? removal;
            lock (sandbox.Steps)
                removal = sandbox.Removal;
            // A removal does that itself, and may be through with the sandbox by now.
            if (removal is null)
                await sandbox.Ending.CancelAsync();
            // A removal that failed has been logged.
            await Task.WhenAll(sandbox.Life, removal ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            sandbox.Dispose();
        }

        // Also after a start that failed; with sandboxes in it, it stays.
        _host?.Cgroups?.RemoveGroup();
        _exits.Dispose();
        _starts.Dispose();
        _poolStarts.Dispose();
        _givesUp.Dispose();
    }

    private LocalSandbox? Find(Sandbox seen) =>
        _sandboxes.TryGetValue(seen.Name, out var sandbox) && sandbox.State.Uid == seen.Uid ? sandbox : null;

    [GeneratedRegex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")]
    private static partial Regex WellFormedName();

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Note}")]
    private partial void Noted(string note);

    [LoggerMessage(Level = LogLevel.Information, Message = "Sandbox {Name} runs, {Elapsed} after it was asked for")]
    private partial void Started(string name, TimeSpan elapsed);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Sandbox {Name} ended by itself: {Reason}")]
    private partial void SandboxEnded(string name, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Sandbox {Name} is removed")]
    private partial void Removed(string name);

    [LoggerMessage(Level = LogLevel.Error, Message = "Sandbox {Name} could not be removed; that is tried again in {Pause}")]
    private partial void NotRemoved(Exception exception, string name, TimeSpan pause);

    [LoggerMessage(Level = LogLevel.Error, Message = "A change of sandbox {Name} could not be recorded; it holds until the Manager ends")]
    private partial void NotKept(Exception exception, string name);

    [LoggerMessage(Level = LogLevel.Information, Message = "Sandbox {Name} was found and is adopted")]
    private partial void Adopted(string name);

    [LoggerMessage(Level = LogLevel.Information, Message = "The remains of sandbox {Name} are removed")]
    private partial void RemainsRemoved(string name);

    [LoggerMessage(Level = LogLevel.Error, Message = "The remains of sandbox {Name} could not be removed")]
    private partial void RemainsNotRemoved(Exception exception, string name);
}
