namespace DonkeyWork.CodeSandbox.Server.Files.Watching;

/// <summary>A directory of a tree that is watched. It knows its name and its parent alone, so that a move is one step.</summary>
/// <param name="tree">Whose it is.</param>
/// <param name="watch">Its number.</param>
internal sealed class WatchedDirectory(WatchedTree tree, int watch)
{
    private static readonly IEqualityComparer<byte[]> ByBytes = EqualityComparer<byte[]>.Create(
        (a, b) => a.AsSpan().SequenceEqual(b), bytes => { var hash = new HashCode(); hash.AddBytes(bytes); return hash.ToHashCode(); });

    public WatchedTree Tree => tree;

    public int Watch => watch;

    public WatchedDirectory? Parent { get; set; }

    /// <summary>Its name in its parent; of the top, its whole path.</summary>
    public byte[] Name { get; set; } = [];

    public Dictionary<byte[], WatchedDirectory> Children { get; } = new(ByBytes);

    /// <summary>What was found in it when it was new and told of then; the kernel may tell of it too.</summary>
    public HashSet<byte[]> Told { get; } = new(ByBytes);

    /// <summary>The path of something in it.</summary>
    public byte[] PathOf(byte[] name)
    {
        var steps = new Stack<byte[]>();
        if (name.Length > 0)
            steps.Push(name);
        for (var directory = this; directory is not null; directory = directory.Parent)
            steps.Push(directory.Name);
        var path = new List<byte>(steps.Pop());
        foreach (var step in steps)
        {
            path.Add((byte)'/');
            path.AddRange(step);
        }

        return path.Count == 0 ? "/"u8.ToArray() : [.. path];
    }
}
