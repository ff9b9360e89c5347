using Microsoft.Win32.SafeHandles;
using static DonkeyWork.CodeSandbox.Server.Files.FileSystemCalls;

namespace DonkeyWork.CodeSandbox.Server.Files.Watching;

/// <summary>
/// A directory and all below it, for one caller: turns what the kernel tells of single directories into changes of paths.
/// Every call is made under the hub's lock.
/// </summary>
/// <param name="hub">Has the watches.</param>
/// <param name="open">
/// Opens the directory, if it is there. It is not kept open: the kernel tells of its end only when nobody has it open.
/// </param>
/// <param name="path">The directory's absolute path.</param>
/// <param name="changes">What is told.</param>
internal sealed class WatchedTree(WatchHub hub, Func<SafeFileHandle?> open, byte[] path, ChangeQueue changes)
{
    /// <summary>Above it what is new may be told twice.</summary>
    private const int MaxTold = 10_000;

    private readonly List<Move> _moved = [];
    private List<WatchedDirectory> _new = [];
    private List<WatchedDirectory> _lastNew = [];
    private int _told;

    /// <summary>Of the top; <see langword="null"/> once that is gone.</summary>
    public WatchedDirectory? Top { get; private set; }

    /// <summary>Whether one half of a rename waits for the other.</summary>
    public bool HasMoved => _moved.Count > 0;

    /// <summary>Watches everything. Nothing of it is told.</summary>
    /// <returns>0, or the errno: ENOSPC when there are no watches left for all of it.</returns>
    public int Watch()
    {
        if (open() is not { } opened)
            return FileError.ENOENT;
        using (opened)
        {
            var error = hub.TryAdd(opened, this, out var top);
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
        changes.Overflow();
        if (Watch() != 0)
            Fail();
    }

    /// <summary>Nothing will be told any more.</summary>
    public void Fail()
    {
        Close();
        changes.Overflow();
        changes.Complete();
    }

    public void Close()
    {
        foreach (var move in _moved)
        {
            if (move.Directory is not null)
                Drop(move.Directory);
        }

        _moved.Clear();
        _new.Clear();
        _lastNew.Clear();
        _told = 0;
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
        else if (TopOf(inDirectory) is var top && top != Top)
        {
            // It was moved, and something else came before where to: it is gone, or comes back as new.
            foreach (var move in _moved.FindAll(move => move.Directory == top))
                Forget(move);
        }
        else if (happened.Name.Length == 0 || TemporaryFile.IsName(happened.Name))
        {
            // The directory's own entry is its parent's to tell; a file that is being written is nobody's yet.
        }
        else if ((happened.Mask & Inotify.MovedFrom) != 0)
        {
            if (inDirectory.Children.Remove(happened.Name, out var child))
                child.Parent = null;
            WasTold(inDirectory, happened.Name);
            _moved.Add(new Move(happened.Cookie, inDirectory.PathOf(happened.Name), child, Environment.TickCount64));
        }
        else if ((happened.Mask & Inotify.MovedTo) != 0)
        {
            TakeMovedTo(inDirectory, happened, isDirectory);
        }
        else if ((happened.Mask & Inotify.Created) != 0)
        {
            if (!WasTold(inDirectory, happened.Name))
                Appear(inDirectory, happened.Name, isDirectory);
        }
        else if ((happened.Mask & Inotify.Deleted) != 0)
        {
            WasTold(inDirectory, happened.Name);
            if (inDirectory.Children.Remove(happened.Name, out var child))
                Drop(child);
            changes.Add(Contracts.FileChangeType.Deleted, inDirectory.PathOf(happened.Name));
        }
        else if ((happened.Mask & Inotify.Modified) != 0)
        {
            changes.Add(Contracts.FileChangeType.Modified, inDirectory.PathOf(happened.Name));
        }
    }

    /// <summary>The kernel has told all that had happened until it was last asked: before what was found since, and after what was found then.</summary>
    public void CaughtUp()
    {
        foreach (var one in _lastNew)
        {
            _told -= one.Told.Count;
            one.Told.Clear();
        }

        _lastNew.Clear();
        (_lastNew, _new) = (_new, _lastNew);
        if (_lastNew.Count == 0)
            _told = 0;
    }

    /// <summary>What was moved away and has not come back for so long is gone.</summary>
    public void ForgetMoved(TimeSpan patience)
    {
        foreach (var move in _moved.FindAll(move => Environment.TickCount64 - move.At >= patience.TotalMilliseconds))
            Forget(move);
    }

    private void Forget(Move move)
    {
        _moved.Remove(move);
        changes.Add(Contracts.FileChangeType.Deleted, move.Path);
        if (move.Directory is not null)
            Drop(move.Directory);
    }

    private static WatchedDirectory TopOf(WatchedDirectory one)
    {
        while (one.Parent is { } parent)
            one = parent;
        return one;
    }

    private void TakeMovedTo(WatchedDirectory inDirectory, InotifyEvent happened, bool isDirectory)
    {
        if (inDirectory.Children.Remove(happened.Name, out var replaced))
            Drop(replaced);
        var index = _moved.FindIndex(moved => moved.Cookie == happened.Cookie);
        if (index < 0)
        {
            if (!WasTold(inDirectory, happened.Name))
                Appear(inDirectory, happened.Name, isDirectory);
            return;
        }

        var move = _moved[index];
        _moved.RemoveAt(index);
        WasTold(inDirectory, happened.Name);
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
                changes.Overflow();
                return;
            }

            Adopt(parent, child, name);
            if (Fill(child, opened, isNew: true) != 0)
                changes.Overflow();
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

        if (open() is not { } current)
            return null;
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

                if (isNew)
                    Tell(current, walk.Name.ToArray());
                if (!walk.MayBeDirectory || walk.TryEnter() != 0)
                    continue;
                if (hub.TryAdd(walk.Directory, this, out var child) is not 0 and var error)
                    return error;
                Adopt(current, child, walk.Name.ToArray());
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

    private void Tell(WatchedDirectory parent, byte[] name)
    {
        changes.Add(Contracts.FileChangeType.Created, parent.PathOf(name));
        if (_told < MaxTold && parent.Told.Add(name))
            _told++;
    }

    private bool WasTold(WatchedDirectory parent, byte[] name)
    {
        if (!parent.Told.Remove(name))
            return false;
        _told--;
        return true;
    }

    private void Adopt(WatchedDirectory parent, WatchedDirectory child, byte[] name)
    {
        // Another of this name is gone, whatever has not been told yet.
        if (parent.Children.Remove(name, out var old))
            Drop(old);
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
