namespace DonkeyWork.CodeSandbox.Server.Tests.Running;

/// <summary>Native/attack.c, compiled once per test run.</summary>
internal static class Attack
{
    /// <summary>The folder with the program <c>attack</c>.</summary>
    public static string Directory { get; } = Compile();

    private static string Compile()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "attack");
        System.IO.Directory.CreateDirectory(folder);
        Published.Succeed("cc", "-O1", "-static", Published.Source("Native/attack.c"), "-o", Path.Combine(folder, "attack"));
        return folder;
    }
}
