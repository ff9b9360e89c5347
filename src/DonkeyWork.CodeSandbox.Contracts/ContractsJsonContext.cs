using System.Text.Json;
using System.Text.Json.Serialization;

namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>The one source-generated description of everything on the wire: camelCase, absent means null, names match in any case.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    NumberHandling = JsonNumberHandling.Strict,
    AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(CreateSandboxRequest))]
[JsonSerializable(typeof(AllocateRequest))]
[JsonSerializable(typeof(KeepAliveRequest))]
[JsonSerializable(typeof(PoolStatistics))]
[JsonSerializable(typeof(SandboxInfo))]
[JsonSerializable(typeof(IReadOnlyList<SandboxInfo>))]
[JsonSerializable(typeof(CreationEvent))]
[JsonSerializable(typeof(DeleteSandboxResult))]
[JsonSerializable(typeof(DeleteAllResult))]
[JsonSerializable(typeof(ExecuteRequest))]
[JsonSerializable(typeof(ExecutionEvent))]
[JsonSerializable(typeof(StartExecutionRequest))]
[JsonSerializable(typeof(ExecutionState))]
[JsonSerializable(typeof(IReadOnlyList<ExecutionState>))]
[JsonSerializable(typeof(ExecutionStarted))]
[JsonSerializable(typeof(ExecutionOutput))]
[JsonSerializable(typeof(ExecutionTruncated))]
[JsonSerializable(typeof(StdinResult))]
[JsonSerializable(typeof(SignalRequest))]
[JsonSerializable(typeof(TerminalSize))]
[JsonSerializable(typeof(TerminalMessage))]
[JsonSerializable(typeof(FileEntry))]
[JsonSerializable(typeof(IReadOnlyList<FileEntry>))]
[JsonSerializable(typeof(MoveFileRequest))]
[JsonSerializable(typeof(MakeDirectoryRequest))]
[JsonSerializable(typeof(FileChange))]
[JsonSerializable(typeof(SandboxStart))]
[JsonSerializable(typeof(ClaimRequest))]
[JsonSerializable(typeof(ClaimResponse))]
[JsonSerializable(typeof(ExecutorStats))]
[JsonSerializable(typeof(Problem))]
public sealed partial class ContractsJsonContext : JsonSerializerContext;
