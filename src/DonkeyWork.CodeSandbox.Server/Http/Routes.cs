namespace DonkeyWork.CodeSandbox.Server.Http;

/// <summary>The executor's paths.</summary>
internal static class Routes
{
    public const string Health = "/healthz";
    public const string Stats = "/api/stats";
    public const string Claim = "/api/claim";
    public const string Execute = "/api/execute";
}
