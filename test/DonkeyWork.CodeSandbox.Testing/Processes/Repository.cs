namespace DonkeyWork.CodeSandbox.Testing.Processes;

/// <summary>Where things are in the checkout under test.</summary>
public static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The published Manager.</summary>
    public static string Manager => Built("manager/codesandbox-manager");

    /// <summary>The published executor.</summary>
    public static string Executor => Built("executor/codesandbox-executor");

    public static string Read(string path) => File.ReadAllText(Path.Combine(Root, path));

    private static string Built(string path)
    {
        var full = Path.Combine(Root, "artifacts", path);
        return File.Exists(full) ? full : throw new FileNotFoundException($"{full} is not built; ./test.sh builds it.");
    }

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "DonkeyWork.CodeSandbox.slnx")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new DirectoryNotFoundException("The tests do not run from within the checkout.");
    }
}
