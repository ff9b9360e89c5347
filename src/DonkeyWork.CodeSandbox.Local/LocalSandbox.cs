using System.Globalization;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Local.Executors;
using DonkeyWork.CodeSandbox.Local.Oci;
using DonkeyWork.CodeSandbox.Local.Posix;
using DonkeyWork.CodeSandbox.Local.State;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Local;

/// <summary>One sandbox of this machine: its recorded state, changed under one lock and kept on disk, and what the process holds of it.</summary>
internal sealed class LocalSandbox : IDisposable
{
    private readonly Lock _gate = new();
    private readonly string _file;
    private readonly SandboxFeed _feed;
    private readonly Action<Exception, string> _notKept;
    private SandboxRecord _record;

    /// <param name="directory">The sandbox's own, which exists.</param>
    /// <param name="record">Its state.</param>
    /// <param name="feed">Is told of every change.</param>
    /// <param name="notKept">Is told why a change of <see cref="Note"/> is not on the disk, and of which sandbox.</param>
    public LocalSandbox(string directory, SandboxRecord record, SandboxFeed feed, Action<Exception, string> notKept)
    {
        _file = FileIn(directory);
        _feed = feed;
        _notKept = notKept;
        _record = record;
        Connection = new ExecutorConnection(directory);
        SocketDirectory = directory;
    }

    /// <summary>As everybody sees it.</summary>
    public Sandbox State => Volatile.Read(ref _record).Sandbox;

    /// <summary>As it is kept.</summary>
    public SandboxRecord Record => Volatile.Read(ref _record);

    /// <summary>The way to its executor.</summary>
    public ExecutorConnection Connection { get; private set; }

    /// <summary>Where the executor's socket is.</summary>
    public string SocketDirectory { get; private set; }

    /// <summary>Held while a start or a removal is set off: a removal waits for the start that came before it.</summary>
    public Lock Steps { get; } = new();

    /// <summary>Cancelled when the sandbox is to end.</summary>
    public CancellationTokenSource Ending { get; } = new();

    /// <summary>Its executor's process.</summary>
    public SafeFileHandle? Process { get; set; }

    /// <summary>What its executor (or the runtime that could not start it) has printed; not there after an adoption.</summary>
    public SafeFileHandle? Printed { get; set; }

    /// <summary>Bringing it up, and then watching over it; never faults.</summary>
    public Task Life { get; set; } = Task.CompletedTask;

    /// <summary>Taking it away, once that was accepted.</summary>
    public Task? Removal { get; set; }

    public static string FileIn(string directory) => Path.Combine(directory, "sandbox.json");

    /// <summary>What is kept of a sandbox; <see langword="null"/> where that is nothing usable.</summary>
    public static SandboxRecord? Read(string directory)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(FileIn(directory)), StateJsonContext.Default.SandboxRecord);
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Applies a change, or refuses it by throwing or by returning <see langword="null"/>; nobody sees a half-made one.</summary>
    /// <exception cref="IOException">It cannot be kept, and is not made.</exception>
    public Sandbox? Change(Func<SandboxRecord, SandboxRecord?> change) => Change(change, Keep);

    /// <summary>Applies a change that the next Manager would find out by itself, or can do without: on a full disk it holds in this process alone.</summary>
    public Sandbox? Note(Func<SandboxRecord, SandboxRecord?> change) => Change(change, record =>
    {
        try
        {
            Keep(record);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _notKept(failure, record.Sandbox.Name);
        }
    });

    private void Keep(SandboxRecord record) =>
        AtomicFile.Write(_file, JsonSerializer.SerializeToUtf8Bytes(record, StateJsonContext.Default.SandboxRecord));

    private Sandbox? Change(Func<SandboxRecord, SandboxRecord?> change, Action<SandboxRecord> keep)
    {
        lock (_gate)
        {
            if (change(_record) is not { } changed)
                return null;
            var version = ulong.Parse(_record.Sandbox.Version, CultureInfo.InvariantCulture) + 1;
            changed = changed with { Sandbox = changed.Sandbox with { Version = version.ToString(CultureInfo.InvariantCulture) } };
            keep(changed);
            Volatile.Write(ref _record, changed);
            _feed.Changed(changed.Sandbox);
            return changed.Sandbox;
        }
    }

    /// <summary>The executor makes its socket in another directory.</summary>
    public void MoveSocketTo(string directory)
    {
        Connection.Dispose();
        Connection = new ExecutorConnection(directory);
        SocketDirectory = directory;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Connection.Dispose();
        Process?.Dispose();
        Printed?.Dispose();
        Ending.Dispose();
    }
}
