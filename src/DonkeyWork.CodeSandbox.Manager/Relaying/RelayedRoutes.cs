using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Manager.Kata;

namespace DonkeyWork.CodeSandbox.Manager.Relaying;

/// <summary>All routes that are relayed. The terminal, which is a WebSocket, is beside them.</summary>
internal static class RelayedRoutes
{
    public const string Json = "application/json";
    public const string Bytes = "application/octet-stream";
    public const string Tar = "application/x-tar";

    /// <summary>Programs that send bytes often give them some type; without this, routing takes only those that are named.</summary>
    public const string Anything = "*/*";

    private const string Sse = EventStream.MediaType;
    private const string Frames = ExecutionEventNames.FramesMediaType;

    public static RelayedRoute Execute { get; } = new("POST", "execute") { Takes = RelayedContent.Json, Answers = [Sse, Json] };

    public static RelayedRoute StartExecution { get; } = new("POST", "executions") { Takes = RelayedContent.Json, Answers = [Json, Sse, Frames] };

    public static RelayedRoute ListExecutions { get; } = new("GET", "executions") { Answers = [Json] };

    public static RelayedRoute GetExecution { get; } = new("GET", "executions/{eid}") { Answers = [Json] };

    public static RelayedRoute DeleteExecution { get; } = new("DELETE", "executions/{eid}") { Answers = [Json] };

    public static RelayedRoute ReadEvents { get; } = new("GET", "executions/{eid}/events") { Answers = [Sse, Frames] };

    public static RelayedRoute WriteStdin { get; } = new("POST", "executions/{eid}/stdin") { Takes = RelayedContent.Bytes, Answers = [Json], IsTimed = false };

    public static RelayedRoute CloseStdin { get; } = new("DELETE", "executions/{eid}/stdin") { Answers = [Json] };

    public static RelayedRoute Signal { get; } = new("POST", "executions/{eid}/signal") { Takes = RelayedContent.Json, Answers = [Json] };

    public static RelayedRoute Resize { get; } = new("POST", "executions/{eid}/resize") { Takes = RelayedContent.Json, Answers = [Json] };

    public static RelayedRoute ReadFile { get; } = new("GET", "files") { Answers = [Bytes, Tar], IsTimed = false, IsFile = true };

    public static RelayedRoute DescribeFile { get; } = new("HEAD", "files") { Answers = [Bytes, Tar], IsTimed = false, IsFile = true };

    public static RelayedRoute WriteFile { get; } = new("PUT", "files") { Takes = RelayedContent.Bytes, Answers = [Json], IsTimed = false };

    public static RelayedRoute DeleteFile { get; } = new("DELETE", "files") { Answers = [Json], IsTimed = false };

    public static RelayedRoute ListFiles { get; } = new("GET", "files/list") { Answers = [Json], IsTimed = false };

    public static RelayedRoute MoveFile { get; } = new("POST", "files/move") { Takes = RelayedContent.Json, Answers = [Json], IsTimed = false };

    public static RelayedRoute MakeDirectory { get; } = new("POST", "files/directory") { Takes = RelayedContent.Json, Answers = [Json], IsTimed = false };

    public static RelayedRoute WatchFiles { get; } = new("GET", "files/watch") { Answers = [Sse] };
}
