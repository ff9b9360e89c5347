using System.Text.Json;
using System.Text.Json.Nodes;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Manager.Reference;

/// <summary>Requests that work as they are and events as they come. Without them tools invent values, and those are refused.</summary>
internal static class ApiExamples
{
    public static JsonNode Create { get; } =
        JsonSerializer.SerializeToNode(new CreateSandboxRequest { WaitForReady = true }, ContractsJsonContext.Default.CreateSandboxRequest)!;

    public static JsonNode Created { get; } =
        JsonSerializer.SerializeToNode(new SandboxCreated { PodName = "kata-sandbox-a1b2c3d4", Phase = "Pending" }, ContractsJsonContext.Default.CreationEvent)!;

    public static JsonNode Execute { get; } =
        JsonSerializer.SerializeToNode(new ExecuteRequest { Command = "echo hello", TimeoutSeconds = 60 }, ContractsJsonContext.Default.ExecuteRequest)!;

    public static JsonNode Output { get; } =
        JsonSerializer.SerializeToNode(new OutputEvent { Pid = 12, Stream = OutputSource.Stdout, Data = "hello" }, ContractsJsonContext.Default.ExecutionEvent)!;
}
