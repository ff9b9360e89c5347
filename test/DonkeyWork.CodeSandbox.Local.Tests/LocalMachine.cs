using DonkeyWork.CodeSandbox.Local.State;
using DonkeyWork.CodeSandbox.Testing;
using DonkeyWork.CodeSandbox.Testing.Backends;
using Microsoft.Extensions.Logging.Abstractions;

namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>
/// A started Local backend over a state directory of its own. Its end removes everything, and fails where the host
/// still shows something of it.
/// </summary>
public sealed class LocalMachine : IAsyncLifetime, IAsyncDisposable
{
    private readonly bool _ownsDirectory;
    private bool _isAbandoned;

    public LocalMachine()
        : this(null)
    {
    }

    private LocalMachine(string? directory, Func<LocalOptions, LocalOptions>? options = null)
    {
        _ownsDirectory = directory is null;
        // Not below a home: sandboxes' users must be able to reach their root file system.
        Directory = directory ?? NewDirectory();
        Options = new LocalOptions { StateDirectory = Directory, ExecutorDirectory = Repository.Executor };
        Options = options?.Invoke(Options) ?? Options;
        State = StateDirectory.Open(Directory);
        Backend = new LocalBackend(Options, State, TimeProvider.System, NullLogger<LocalBackend>.Instance);
    }

    public string Directory { get; }

    public LocalOptions Options { get; }

    public StateDirectory State { get; }

    public LocalBackend Backend { get; }

    public static string NewDirectory() => Path.Combine(Path.GetTempPath(), $"codesandbox-local-{Guid.NewGuid():N}"[..34]);

    public static async Task<LocalMachine> StartAsync(string? directory = null, Func<LocalOptions, LocalOptions>? options = null)
    {
        var machine = new LocalMachine(directory, options);
        try
        {
            await machine.InitializeAsync();
            return machine;
        }
        catch
        {
            await machine.AbandonAsync();
            if (directory is null)
                System.IO.Directory.Delete(machine.Directory, recursive: true);
            throw;
        }
    }

    public Task InitializeAsync() => Backend.StartAsync(CancellationToken.None);

    /// <summary>Lets go of everything in this process and removes nothing, as a crash would.</summary>
    public async Task AbandonAsync()
    {
        _isAbandoned = true;
        await Backend.DisposeAsync();
        State.Dispose();
    }

    /// <summary>Removes what tests that failed have left in a state directory, and the directory.</summary>
    public static async Task CleanAsync(string directory)
    {
        await (await StartAsync(directory)).DisposeAsync();
        System.IO.Directory.Delete(directory, recursive: true);
    }

    ValueTask IAsyncDisposable.DisposeAsync() => new(DisposeAsync());

    public async Task DisposeAsync()
    {
        if (_isAbandoned)
            return;
        try
        {
            using var limit = new CancellationTokenSource(Patience.Limit);
            await Backend.StopAsync(limit.Token);
        }
        finally
        {
            await AbandonAsync();
        }

        (await HostView.RemainsAsync(Directory)).ShouldBeEmpty();
        if (_ownsDirectory)
            System.IO.Directory.Delete(Directory, recursive: true);
    }
}
