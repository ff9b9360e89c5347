namespace DonkeyWork.CodeSandbox.Local.State;

/// <summary>Directories with a mode that the Manager's umask has no say in.</summary>
internal static class Directories
{
    /// <summary>Makes it where it is missing, and gives it the mode in any case.</summary>
    public static void Make(string path, UnixFileMode mode)
    {
        Directory.CreateDirectory(path, mode);
        File.SetUnixFileMode(path, mode);
    }
}
