using System.Net.WebSockets;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Manager.Terminals;

/// <summary>How the Manager itself closes a terminal.</summary>
internal static class TerminalClose
{
    /// <summary>With <see cref="WebSocketCloseStatus.InternalServerError"/>: the sandbox is gone.</summary>
    public const string SandboxLost = "sandbox_lost";

    /// <summary>With <see cref="BadGateway"/>: the executor's connection broke, or it fell silent; the sandbox is there, or nobody can say.</summary>
    public const string ExecutorUnreachable = ErrorCodes.ExecutorUnreachable;

    /// <summary>With <see cref="ServiceRestart"/>: the Manager is stopping; another one serves the same terminal.</summary>
    public const string Stopping = "stopping";

    /// <summary>1014, from the same list: what 502 is to a request.</summary>
    public const WebSocketCloseStatus BadGateway = (WebSocketCloseStatus)1014;

    /// <summary>1012 (https://www.iana.org/assignments/websocket#close-code-number).</summary>
    public const WebSocketCloseStatus ServiceRestart = (WebSocketCloseStatus)1012;
}
