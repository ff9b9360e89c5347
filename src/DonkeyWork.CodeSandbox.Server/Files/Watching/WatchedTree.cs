using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Files.Watching;

/// <summary>
/// A directory and all below it, for one caller: turns what the kernel tells of single directories into changes of paths.
/// Every call is made under the hub's lock.
/// </summary>
/// <param name="hub">Has the watches.</param>
/// <param name="directory">The directory; stays the caller's, and open for as long.</param>
/// <param name="path">The directory's absolute path.</param>
/// <param name="changes">What is told.</param>
internal sealed class WatchedTree(WatchHub hub, SafeFileHandle directory, byte[] path, ChangeQueue changes)
{
    private readonly List<Move> _moved = [];
    private readonly List<WatchedDirectory> _new = [];

    /// <summary>Of the top; <see langword="null"/> once that is gone.</summary>
    public WatchedDirectory? Top { get; private set; }

    /// <summary>Whether one half of a rename waits for the other.</summary>
    public bool HasMoved => _moved.Count > 0;

    /// <summary>Watches everything. Nothing of it is told.</summary>
    /// <returns>0, or the errno: ENOSPC when there are no watches left for all of it.</returns>
    public int Watch()
    {
        var error = FileSystem.TryOpen(directory, "."u8, O_RDONLY | O_DIRECTORY, out var opened);
        if (error != 0)
            return error;
        using (opened)
        {
            error = hub.TryAdd(opened, this, out var top);
            if (error != 0)
                return error;
            Top = top;
            top.Name = path;
            return Fill(top, opened, isNew: false);
        }
    }

    /// <summary>Forgets all watches and starts over, where changes were lost.</summary>
    public void WatchAgain()
    {
        Close();
        changes.Overflow(null);
        if (Watch() != 0)
            changes.Overflow(null);
    }

    /// <summary>Nothing will be told any more.</summary>
    public void Fail()
    {
        changes.Overflow(null);
        changes.Complete();
    }

    public void Close()
    {
        _moved.Clear();
        _new.Clear();
        if (Top is { } top)
            Drop(top);
        Top = null;
    }

    /// <summary>Something happened in one of its directories.</summary>
    public void Take(WatchedDirectory inDirectory, InotifyEvent happened)
    {
        var isDirectory = (happened.Mask & Inotify.IsDirectory) != 0;
        if ((happened.Mask & Inotify.Ignored) != 0)
        {
            Drop(inDirectory);
        }
        else if ((happened.Mask & Inotify.SelfGone) != 0)
        {
            // Of all but the top the parent tells.
            if (inDirectory != Top)
                return;
            changes.Add(Contracts.FileChangeType.Deleted, path);
            changes.Complete();
            Close();
        }
        else if (happened.Name.Length == 0 || TemporaryFile.IsName(happened.Name))
        {
            // The inDirectory's own entry is its parent's to tell; a file that is being written is nobody's yet.
        }
        else if ((happened.Mask & Inotify.MovedFrom) != 0)
        {
            inDirectory.Children.Remove(happened.Name, out var child);
            inDirectory.Told.Remove(happened.Name);
            _moved.Add(new Move(happened.Cookie, inDirectory.PathOf(happened.Name), child, Environment.TickCount64));
        }
        else if ((happened.Mask & Inotify.MovedTo) != 0)
        {
            TakeMovedTo(inDirectory, happened, isDirectory);
        }
        else if ((happened.Mask & Inotify.Created) != 0)
        {
            if (!inDirectory.Told.Remove(happened.Name))
                Appear(inDirectory, happened.Name, isDirectory);
        }
        else if ((happened.Mask & Inotify.Deleted) != 0)
        {
            inDirectory.Told.Remove(happened.Name);
            if (inDirectory.Children.Remove(happened.Name, out var child))
                Drop(child);
            changes.Add(Contracts.FileChangeType.Deleted, inDirectory.PathOf(happened.Name));
        }
        else if ((happened.Mask & Inotify.Modified) != 0)
        {
            changes.Add(Contracts.FileChangeType.Modified, inDirectory.PathOf(happened.Name));
        }
    }

    /// <summary>The kernel has told all that had happened so far.</summary>
    public void CaughtUp()
    {
        foreach (var one in _new)
            one.Told.Clear();
        _new.Clear();
    }

    /// <summary>What was moved away and has not come back for so long is gone.</summary>
    public void ForgetMoved(TimeSpan patience)
    {
        foreach (var move in _moved.FindAll(move => Environment.TickCount64 - move.At >= patience.TotalMilliseconds))
        {
            _moved.Remove(move);
            changes.Add(Contracts.FileChangeType.Deleted, move.Path);
            if (move.Directory is not null)
                Drop(move.Directory);
        }
    }

    private void TakeMovedTo(WatchedDirectory inDirectory, InotifyEvent happened, bool isDirectory)
    {
        if (inDirectory.Children.Remove(happened.Name, out var replaced))
            Drop(replaced);
        var index = _moved.FindIndex(moved => moved.Cookie == happened.Cookie);
        if (index < 0)
        {
            if (!inDirectory.Told.Remove(happened.Name))
                Appear(inDirectory, happened.Name, isDirectory);
            return;
        }

        var move = _moved[index];
        _moved.RemoveAt(index);
        inDirectory.Told.Remove(happened.Name);
        changes.Add(Contracts.FileChangeType.Renamed, inDirectory.PathOf(happened.Name), move.Path);
        if (move.Directory is { } child)
            Adopt(inDirectory, child, happened.Name);
        else if (isDirectory)
            Enter(inDirectory, happened.Name);
    }

    private void Appear(WatchedDirectory inDirectory, byte[] name, bool isDirectory)
    {
        changes.Add(Contracts.FileChangeType.Created, inDirectory.PathOf(name));
        if (isDirectory)
            Enter(inDirectory, name);
    }

    /// <summary>Watches a new directory and tells of what is in it already.</summary>
    private void Enter(WatchedDirectory parent, byte[] name)
    {
        if (TryReopen(parent, name) is not { } opened)
            return;
        using (opened)
        {
            if (WatchHub.IsUnwatchable(opened))
                return;
            if (hub.TryAdd(opened, this, out var child) != 0)
            {
                changes.Overflow(null);
                return;
            }

            Adopt(parent, child, name);
            if (Fill(child, opened, isNew: true) != 0)
                changes.Overflow(null);
        }
    }

    /// <summary>Opens what is in a directory by the way from the top; not if it is gone again, which will be told.</summary>
    private SafeFileHandle? TryReopen(WatchedDirectory parent, byte[] name)
    {
        var steps = new Stack<byte[]>([name]);
        for (var step = parent; step != Top; step = step.Parent!)
        {
            if (step is null)
                return null;
            steps.Push(step.Name);
        }

        var current = FileSystem.Open(directory, "."u8, O_PATH | O_DIRECTORY);
        while (steps.TryPop(out var next))
        {
            var error = FileSystem.TryOpen(current, next, (steps.Count == 0 ? O_RDONLY : O_PATH) | O_DIRECTORY, out var opened);
            current.Dispose();
            if (error != 0)
                return null;
            current = opened;
        }

        return current;
    }

    private int Fill(WatchedDirectory top, SafeFileHandle opened, bool isNew)
    {
        var current = top;
        if (isNew)
            _new.Add(top);
        try
        {
            using var walk = new TreeWalk(FileSystem.Open(opened, "."u8, O_RDONLY | O_DIRECTORY)) { Skips = WatchHub.IsUnwatchable };
            for (var step = walk.Next(); step != WalkStep.End; step = walk.Next())
            {
                if (step == WalkStep.Left)
                {
                    current = current.Parent!;
                    continue;
                }

                if (isNew && current.Told.Add(walk.Name))
                    changes.Add(Contracts.FileChangeType.Created, current.PathOf(walk.Name));
                if (!walk.MayBeDirectory || walk.TryEnter() != 0)
                    continue;
                if (hub.TryAdd(walk.Directory, this, out var child) is not 0 and var error)
                    return error;
                Adopt(current, child, walk.Name);
                current = child;
                if (isNew)
                    _new.Add(child);
            }

            return 0;
        }
        catch (FileSystemException error)
        {
            // It was moved or deleted meanwhile, which the kernel tells of.
            return isNew ? 0 : error.Error;
        }
    }

    private static void Adopt(WatchedDirectory parent, WatchedDirectory child, byte[] name)
    {
        child.Parent = parent;
        child.Name = name;
        parent.Children[name] = child;
    }

    private void Drop(WatchedDirectory dropped)
    {
        var left = new Stack<WatchedDirectory>([dropped]);
        while (left.TryPop(out var one))
        {
            hub.Remove(one);
            foreach (var child in one.Children.Values)
                left.Push(child);
        }

        if (dropped.Parent is { } parent && parent.Children.TryGetValue(dropped.Name, out var known) && known == dropped)
            parent.Children.Remove(dropped.Name);
    }

    private sealed record Move(uint Cookie, byte[] Path, WatchedDirectory? Directory, long At);
}
