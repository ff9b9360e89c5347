using System.Runtime.CompilerServices;
using System.Threading.Channels;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Local;

/// <summary>What watchers are told: the state as last told, and every later change, in one order for all of them.</summary>
internal sealed class SandboxFeed
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Sandbox> _current = [];
    private readonly List<Channel<SandboxObservation>> _watchers = [];

    public void Changed(Sandbox sandbox)
    {
        lock (_gate)
        {
            _current[sandbox.Name] = sandbox;
            Tell(new SandboxChanged(sandbox));
        }
    }

    public void Gone(Sandbox sandbox)
    {
        lock (_gate)
        {
            _current.Remove(sandbox.Name);
            Tell(new SandboxGone(sandbox));
        }
    }

    public async IAsyncEnumerable<SandboxObservation> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Not bounded: a watcher that lags must miss nothing, and there are at most a few changes per sandbox.
        var channel = Channel.CreateUnbounded<SandboxObservation>(new UnboundedChannelOptions { SingleReader = true });
        lock (_gate)
        {
            channel.Writer.TryWrite(new SandboxListed([.. _current.Values]));
            _watchers.Add(channel);
        }

        try
        {
            await foreach (var observation in channel.Reader.ReadAllAsync(cancellationToken))
                yield return observation;
        }
        finally
        {
            lock (_gate)
                _watchers.Remove(channel);
        }
    }

    private void Tell(SandboxObservation observation)
    {
        foreach (var watcher in _watchers)
            watcher.Writer.TryWrite(observation);
    }
}
