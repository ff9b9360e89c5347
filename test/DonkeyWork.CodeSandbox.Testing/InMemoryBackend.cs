using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Testing;

/// <summary>
/// A whole backend in memory: the second implementation of the seam. Its sandboxes do what a test tells them; where they
/// lead is <see cref="Executor"/>.
/// </summary>
public sealed class InMemoryBackend : ISandboxBackend, ISandboxLimit, IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Sandbox> _sandboxes = new(StringComparer.Ordinal);
    private readonly List<Channel<SandboxObservation>> _watchers = [];
    private readonly List<SandboxObservation> _held = [];
    private readonly HttpMessageInvoker _http = new(CreateHandler());
    private long _version;
    private bool _isWatchHeld;

    /// <summary>Where every sandbox's executor is.</summary>
    public Uri Executor { get; set; } = new("http://127.0.0.1:1/");

    /// <summary>Whether a sandbox is ready as soon as it is accepted.</summary>
    public bool IsReadyAtOnce { get; set; }

    /// <inheritdoc/>
    public SandboxLimit? Limit { get; set; }

    /// <summary>Set: the backend cannot be reached, for this reason.</summary>
    public string? Outage { get; set; }

    /// <summary>Runs inside every create, before it is accepted.</summary>
    public Func<SandboxSpec, Task> BeforeCreate { get; set; } = _ => Task.CompletedTask;

    /// <summary>Runs inside every live read, before it is answered.</summary>
    public Func<Task> BeforeRead { get; set; } = () => Task.CompletedTask;

    /// <summary>Runs inside every change, before it is compared.</summary>
    public Func<Sandbox, CancellationToken, Task> BeforeChange { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>The specs that were accepted.</summary>
    public IReadOnlyList<SandboxSpec> Specs
    {
        get { lock (_gate) return [.. field]; }
        private set;
    } = [];

    /// <summary>How many live reads were asked for.</summary>
    public int Reads { get; private set; }

    /// <summary>How many live lists of one owner's were asked for.</summary>
    public int Lists { get; private set; }

    /// <summary>How many changes were asked for.</summary>
    public int Changes { get; private set; }

    /// <summary>What exists.</summary>
    public IReadOnlyList<Sandbox> Sandboxes
    {
        get { lock (_gate) return [.. _sandboxes.Values]; }
    }

    public async Task<Sandbox> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        await BeforeCreate(spec);
        lock (_gate)
        {
            ThrowIfOut();
            if (_sandboxes.ContainsKey(spec.Name)) throw new SandboxExistsException(spec.Name);
            Specs = [.. Specs, spec];
            var sandbox = Put(new Sandbox
            {
                Name = spec.Name,
                Uid = Guid.NewGuid().ToString(),
                Version = "",
                Nonce = spec.Nonce,
                Phase = SandboxPhase.Pending,
                IsReady = false,
                CreatedAt = spec.CreatedAt,
                AllocatedAt = spec.PoolStatus == PoolStatus.Warm ? null : spec.CreatedAt,
                PoolStatus = spec.PoolStatus,
                Owner = spec.Owner,
                ClaimId = spec.ClaimId,
                Lifetime = spec.Lifetime,
                Epoch = spec.Epoch,
                Labels = spec.Labels,
                Resources = spec.Resources,
                Template = spec.Template,
                Image = "memory",
                RuntimeClass = "memory",
                NodeName = "here",
            });
            if (IsReadyAtOnce) Put(sandbox with { Phase = SandboxPhase.Running, IsReady = true });
            return sandbox;
        }
    }

    public async Task<Sandbox?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        await BeforeRead();
        lock (_gate)
        {
            Reads++;
            ThrowIfOut();
            return _sandboxes.GetValueOrDefault(name);
        }
    }

    public async Task<IReadOnlyList<Sandbox>> ListOwnedAsync(string owner, CancellationToken cancellationToken)
    {
        await BeforeRead();
        lock (_gate)
        {
            Lists++;
            ThrowIfOut();
            return [.. _sandboxes.Values.Where(sandbox => sandbox.Owner == owner)];
        }
    }

    public async Task<Sandbox> ChangeAsync(Sandbox seen, SandboxChange change, ChangeCondition condition, CancellationToken cancellationToken)
    {
        await BeforeChange(seen, cancellationToken);
        lock (_gate)
        {
            Changes++;
            ThrowIfOut();
            if (!_sandboxes.TryGetValue(seen.Name, out var current) || current.Uid != seen.Uid) throw new SandboxConflictException(seen.Name);
            var isMet = condition == ChangeCondition.StillWarm ? current.PoolStatus == PoolStatus.Warm : current.Version == seen.Version;
            return isMet ? Put(change.ApplyTo(current)) : throw new SandboxConflictException(seen.Name);
        }
    }

    public Task<bool> DeleteAsync(Sandbox seen, DeleteCondition condition, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            ThrowIfOut();
            if (!_sandboxes.TryGetValue(seen.Name, out var current)) return Task.FromResult(false);
            if (current.Uid != seen.Uid || (condition == DeleteCondition.SameVersion && current.Version != seen.Version))
                throw new SandboxConflictException(seen.Name);
            Remove(current.Name);
            return Task.FromResult(true);
        }
    }

    public async IAsyncEnumerable<SandboxObservation> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var watcher = Channel.CreateUnbounded<SandboxObservation>();
        lock (_gate)
        {
            _watchers.Add(watcher);
            watcher.Writer.TryWrite(new SandboxListed([.. _sandboxes.Values]));
        }

        await foreach (var observation in watcher.Reader.ReadAllAsync(cancellationToken)) yield return observation;
    }

    public ExecutorEndpoint Connect(Sandbox sandbox) => new(_http, Executor);

    public void Dispose() => _http.Dispose();

    /// <summary>Changes a sandbox as the world would: from outside.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="change">What becomes of it.</param>
    /// <param name="isNewVersion">Whether one who has seen it before is told so by a conflict, or only by the answer to a change.</param>
    public void Set(string name, Func<Sandbox, Sandbox> change, bool isNewVersion = true)
    {
        lock (_gate)
        {
            if (isNewVersion) Put(change(_sandboxes[name]));
            else _sandboxes[name] = change(_sandboxes[name]);
        }
    }

    /// <summary>The sandbox is up.</summary>
    public void MakeReady(string name) => Set(name, sandbox => sandbox with { Phase = SandboxPhase.Running, IsReady = true });

    /// <summary>The sandbox is gone without anyone having asked.</summary>
    public void Remove(string name)
    {
        lock (_gate)
        {
            if (_sandboxes.Remove(name, out var sandbox)) Tell(new SandboxGone(sandbox));
        }
    }

    /// <summary>What happens from here on is not told to watchers, until <see cref="ReleaseWatch"/>.</summary>
    public void HoldWatch()
    {
        lock (_gate) _isWatchHeld = true;
    }

    /// <summary>Tells watchers what they have missed.</summary>
    public void ReleaseWatch()
    {
        lock (_gate)
        {
            _isWatchHeld = false;
            foreach (var observation in _held) Tell(observation);
            _held.Clear();
        }
    }

    /// <summary>Tells watchers anything.</summary>
    public void Tell(SandboxObservation observation)
    {
        lock (_gate)
        {
            if (_isWatchHeld) _held.Add(observation);
            else foreach (var watcher in _watchers) watcher.Writer.TryWrite(observation);
        }
    }

    private Sandbox Put(Sandbox sandbox)
    {
        sandbox = sandbox with { Version = $"{++_version}" };
        _sandboxes[sandbox.Name] = sandbox;
        Tell(new SandboxChanged(sandbox));
        return sandbox;
    }

    private void ThrowIfOut()
    {
        if (Outage is { } reason) throw new BackendUnavailableException(reason);
    }

    // What a connection holds is bounded by every backend; the kernel alone would go up to megabytes (tcp(7), tcp_rmem).
    private static SocketsHttpHandler CreateHandler()
    {
        var handler = ExecutorHandler.Create();
        handler.ConnectCallback = async (context, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = 256 * 1024 };
            try
            {
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        };
        return handler;
    }
}
