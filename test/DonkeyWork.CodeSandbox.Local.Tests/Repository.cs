namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>Where things are in the checkout under test.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>The directory of the published executor.</summary>
    public static string Executor
    {
        get
        {
            var directory = Path.Combine(Root, "artifacts", "executor");
            return File.Exists(Path.Combine(directory, "codesandbox-executor"))
                ? directory
                : throw new FileNotFoundException($"{directory} is not published; build/publish-executor.sh does that.");
        }
    }

    private static string Find()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "DonkeyWork.CodeSandbox.slnx")))
            directory = directory.Parent;
        return directory?.FullName ?? throw new DirectoryNotFoundException("The tests do not run from within the checkout.");
    }
}
