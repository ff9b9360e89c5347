using System.Diagnostics.CodeAnalysis;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Http;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Files.Watching;

/// <summary>
/// Everything that is watched, by one inotify instance, which exists while somebody watches: instances are counted for the
/// whole host. The number of watches is bounded, and read-only file systems are not watched: they are shared with the host
/// or other sandboxes, and would tell what those do.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "It lives as long as the process, and the instance as long as somebody watches.")]
internal sealed partial class WatchHub(TimeProvider timeProvider, ILogger logger)
{
    private const int MaxDirectories = 8192;
    private const int MaxTrees = 32;
    private const int RetryAfterSeconds = 5;

    /// <summary>For how long one half of a rename waits for the other. Nearly always that comes with it.</summary>
    private static readonly TimeSpan MovePatience = TimeSpan.FromMilliseconds(50);

    /// <summary>It is held over whole walks; who waits for it takes no thread.</summary>
    private readonly SemaphoreSlim _gate = new(1);
    private readonly Dictionary<int, List<WatchedDirectory>> _directories = [];
    private readonly List<WatchedTree> _trees = [];
    private Inotify? _inotify;
    private Task _reading = Task.CompletedTask;
    private int _count;

    /// <summary>Whether one half of a rename waits for the other.</summary>
    private bool _hasMoved;

    /// <summary>Whether a directory is on a file system that is not watched.</summary>
    public static bool IsUnwatchable(SafeFileHandle directory) => KernelFileSystems.Contains(directory) || FileSystem.IsReadOnly(directory);

    /// <summary>Watches a directory and all below it.</summary>
    /// <param name="open">Opens it, if it is there; also later.</param>
    /// <param name="path">Its path.</param>
    /// <param name="changes">What is told.</param>
    /// <param name="cancellationToken">Nobody waits for it any more.</param>
    /// <exception cref="RequestException">With <c>too_many_watches</c>.</exception>
    /// <exception cref="FileSystemException">It cannot be read.</exception>
    public async Task<WatchedTree> OpenAsync(Func<SafeFileHandle?> open, byte[] path, ChangeQueue changes, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_trees.Count == MaxTrees)
                throw TooMany($"At most {MaxTrees} directories are watched at once.");
            Start();
            var tree = new WatchedTree(this, open, path, changes);
            _trees.Add(tree);
            int error;
            try
            {
                error = tree.Watch();
            }
            catch
            {
                CloseLocked(tree);
                throw;
            }

            if (error == 0)
                return tree;
            CloseLocked(tree);
            throw error == FileError.ENOSPC
                ? TooMany($"There are more than {MaxDirectories} directories in it, with what else is watched, or the host's own limit is reached.")
                : new FileSystemException(error);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Ends it.</summary>
    public async Task CloseAsync(WatchedTree tree)
    {
        await _gate.WaitAsync();
        try
        {
            CloseLocked(tree);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>For trees: watches one directory.</summary>
    /// <returns>0, or the errno: ENOSPC above the bound.</returns>
    public int TryAdd(SafeFileHandle directory, WatchedTree tree, out WatchedDirectory watched)
    {
        watched = null!;
        if (_count == MaxDirectories)
            return FileError.ENOSPC;
        var error = _inotify!.TryAdd(directory, out var watch);
        if (error != 0)
            return error;
        watched = new WatchedDirectory(tree, watch);
        if (!_directories.TryGetValue(watch, out var same))
            _directories[watch] = same = [];
        same.Add(watched);
        _count++;
        return 0;
    }

    /// <summary>For trees: the end of one directory's watch.</summary>
    public void Remove(WatchedDirectory watched)
    {
        if (!_directories.TryGetValue(watched.Watch, out var same) || !same.Remove(watched))
            return;
        _count--;
        if (same.Count > 0)
            return;
        _directories.Remove(watched.Watch);
        _inotify?.Remove(watched.Watch);
    }

    private static RequestException TooMany(string detail) =>
        new(StatusCodes.Status429TooManyRequests, ErrorCodes.TooManyWatches, detail) { RetryAfterSeconds = RetryAfterSeconds };

    private void Start()
    {
        if (_inotify is not null)
            return;
        try
        {
            var inotify = _inotify = new Inotify();
            _reading = ReadAsync(inotify);
        }
        catch (FileSystemException error) when (error.Error is FileError.EMFILE or FileError.ENFILE)
        {
            throw TooMany("The host has no inotify instance left.");
        }
    }

    private void CloseLocked(WatchedTree tree)
    {
        tree.Close();
        _trees.Remove(tree);
        if (_trees.Count == 0)
            Stop();
    }

    private void Stop()
    {
        _inotify?.Dispose();
        _inotify = null;
        _directories.Clear();
        _count = 0;
        _hasMoved = false;
    }

    private async Task ReadAsync(Inotify inotify)
    {
        await Task.Yield();
        try
        {
            while (true)
                await ReadOnceAsync(inotify);
        }
        catch (ObjectDisposedException)
        {
            // Nobody watches any more.
        }
        catch (Exception error)
        {
            LogFailed(error);
            await FailAsync(inotify);
        }
    }

    /// <summary>Changes were lost: who watches is told, by the end of it; who comes then begins anew.</summary>
    private async Task FailAsync(Inotify inotify)
    {
        await _gate.WaitAsync();
        try
        {
            if (_inotify != inotify)
                return;
            foreach (var tree in _trees)
                tree.Fail();
            Stop();
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task ReadOnceAsync(Inotify inotify)
    {
        IReadOnlyList<InotifyEvent> events = [];
        var hasMore = false;
        using var patience = _hasMoved ? new CancellationTokenSource(MovePatience, timeProvider) : null;
        try
        {
            (events, hasMore) = await inotify.ReadAsync(patience?.Token ?? CancellationToken.None);
        }
        catch (OperationCanceledException)
        {
            // The other half of a rename does not come.
        }

        await _gate.WaitAsync();
        try
        {
            ObjectDisposedException.ThrowIf(_inotify != inotify, inotify);
            foreach (var happened in events)
                Dispatch(happened);
            foreach (var tree in _trees)
            {
                if (!hasMore)
                    tree.CaughtUp();
                tree.ForgetMoved(MovePatience);
            }

            _hasMoved = _trees.Exists(tree => tree.HasMoved);
        }
        finally
        {
            _gate.Release();
        }
    }

    private void Dispatch(InotifyEvent happened)
    {
        if ((happened.Mask & Inotify.QueueOverflow) != 0)
        {
            foreach (var tree in _trees)
                tree.WatchAgain();
        }
        else if (_directories.TryGetValue(happened.Watch, out var watched))
        {
            foreach (var directory in watched.ToArray())
                directory.Tree.Take(directory, happened);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Changes of files cannot be read any more.")]
    private partial void LogFailed(Exception error);
}
