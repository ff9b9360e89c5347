using System.Net.WebSockets;

namespace DonkeyWork.CodeSandbox.Manager.Terminals;

/// <summary>How the Manager itself closes a terminal.</summary>
internal static class TerminalClose
{
    /// <summary>With <see cref="WebSocketCloseStatus.InternalServerError"/>: the executor's connection broke, or it fell silent.</summary>
    public const string SandboxLost = "sandbox_lost";

    /// <summary>With <see cref="ServiceRestart"/>: the Manager is stopping; another one serves the same terminal.</summary>
    public const string Stopping = "stopping";

    /// <summary>1012 (https://www.iana.org/assignments/websocket#close-code-number).</summary>
    public const WebSocketCloseStatus ServiceRestart = (WebSocketCloseStatus)1012;
}
