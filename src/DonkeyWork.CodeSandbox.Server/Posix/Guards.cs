namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>
/// The environment variable <c>CODESANDBOX_DISABLE_GUARDS</c>, a list of <c>signals</c>, <c>dumpable</c> and
/// <c>kernel-files</c>, turns guards off, so that tests can show what each is for; nothing in the product sets it.
/// </summary>
internal static class Guards
{
    public static bool IsDisabled(string name) =>
        (Environment.GetEnvironmentVariable("CODESANDBOX_DISABLE_GUARDS") ?? "").Split(',').Contains(name);
}
