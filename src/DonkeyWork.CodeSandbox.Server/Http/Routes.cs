namespace DonkeyWork.CodeSandbox.Server.Http;

/// <summary>The executor's paths.</summary>
internal static class Routes
{
    public const string Health = "/healthz";
    public const string Stats = "/api/stats";
    public const string Claim = "/api/claim";
    public const string Execute = "/api/execute";
    public const string Executions = "/api/executions";
    public const string Execution = "/api/executions/{id}";
    public const string ExecutionEvents = "/api/executions/{id}/events";
    public const string ExecutionStdin = "/api/executions/{id}/stdin";
    public const string ExecutionSignal = "/api/executions/{id}/signal";
    public const string ExecutionResize = "/api/executions/{id}/resize";
    public const string Terminal = "/api/terminal";
}
