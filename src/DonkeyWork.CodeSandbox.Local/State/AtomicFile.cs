namespace DonkeyWork.CodeSandbox.Local.State;

/// <summary>Files that are there whole or not at all, for their owner alone.</summary>
internal static class AtomicFile
{
    /// <summary>
    /// Written beside and renamed. Not synced: what this guards against is a Manager that dies, and with the machine
    /// every sandbox is gone.
    /// </summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var beside = path + ".new";
        using (var file = new FileStream(beside, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }))
        {
            file.Write(content);
        }

        File.Move(beside, path, overwrite: true);
    }
}
