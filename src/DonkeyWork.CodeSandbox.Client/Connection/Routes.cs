namespace DonkeyWork.CodeSandbox.Client.Connection;

/// <summary>The Manager's routes, relative to its address.</summary>
internal static class Routes
{
    public const string Sandboxes = "api/kata";

    public const string Allocate = $"{Sandboxes}/allocate";

    public const string PoolStatus = $"{Sandboxes}/pool/status";

    /// <summary>Where an executor's own routes begin without a Manager.</summary>
    public const string Executor = "api";

    public static string Sandbox(string name) => $"{Sandboxes}/{SandboxName.Require(name)}";
}
