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

    public static JsonNode Allocate { get; } =
        JsonSerializer.SerializeToNode(new AllocateRequest { UserId = "ada", WaitSeconds = 10, CreateIfExhausted = true }, ContractsJsonContext.Default.AllocateRequest)!;

    public static JsonNode Allocated { get; } = JsonSerializer.SerializeToNode(
        new SandboxInfo
        {
            Name = "kata-sandbox-a1b2c3d4",
            Phase = "Running",
            IsReady = true,
            CreatedAt = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero),
            PoolStatus = PoolStatus.Allocated,
            Owner = "ada",
            ExpiresAt = new DateTimeOffset(2026, 1, 1, 12, 15, 0, TimeSpan.Zero),
        },
        ContractsJsonContext.Default.SandboxInfo)!;

    public static JsonNode KeepAlive { get; } =
        JsonSerializer.SerializeToNode(new KeepAliveRequest { Seconds = 600 }, ContractsJsonContext.Default.KeepAliveRequest)!;

    public static JsonNode Execute { get; } =
        JsonSerializer.SerializeToNode(new ExecuteRequest { Command = "echo hello", TimeoutSeconds = 60 }, ContractsJsonContext.Default.ExecuteRequest)!;

    public static JsonNode Output { get; } =
        JsonSerializer.SerializeToNode(new OutputEvent { Pid = 12, Stream = OutputSource.Stdout, Data = "hello" }, ContractsJsonContext.Default.ExecutionEvent)!;

    public static JsonNode StartExecution { get; } = JsonSerializer.SerializeToNode(
        new StartExecutionRequest { Id = "build-1", Command = "make -j4", TimeoutSeconds = 3600 }, ContractsJsonContext.Default.StartExecutionRequest)!;

    public static JsonNode Execution { get; } = JsonSerializer.SerializeToNode(
        new ExecutionState
        {
            Id = "build-1",
            Command = "make -j4",
            Pid = 12,
            Status = ExecutionStatus.Running,
            StartedAt = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero),
            StdoutBytes = 0,
            StderrBytes = 0,
            TruncatedBytes = 0,
        },
        ContractsJsonContext.Default.ExecutionState)!;

    public static JsonNode Signal { get; } = JsonSerializer.SerializeToNode(new SignalRequest { Signal = "SIGINT" }, ContractsJsonContext.Default.SignalRequest)!;

    public static JsonNode Resize { get; } = JsonSerializer.SerializeToNode(new TerminalSize { Cols = 120, Rows = 40 }, ContractsJsonContext.Default.TerminalSize)!;

    public static JsonNode Move { get; } =
        JsonSerializer.SerializeToNode(new MoveFileRequest { From = "draft.txt", To = "final.txt", Overwrite = true }, ContractsJsonContext.Default.MoveFileRequest)!;

    public static JsonNode MakeDirectory { get; } =
        JsonSerializer.SerializeToNode(new MakeDirectoryRequest { Path = "src/app" }, ContractsJsonContext.Default.MakeDirectoryRequest)!;
}
