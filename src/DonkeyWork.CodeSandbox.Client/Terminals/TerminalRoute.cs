using System.Globalization;
using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Client.Executions;

namespace DonkeyWork.CodeSandbox.Client.Terminals;

/// <summary>Where a terminal is, as it was asked for.</summary>
internal sealed class TerminalRoute(SandboxRoute sandbox, TerminalOptions options)
{
    private (int? Columns, int? Rows) _size = (options.Columns, options.Rows);

    public string? Id { get; } = options.Id is null ? null : ExecutionRoute.RequireId(options.Id);

    public SandboxRoute Sandbox { get; } = sandbox.Living;

    /// <summary>The size with which it is connected to from here on.</summary>
    public void SetSize(int columns, int rows) => _size = (columns, rows);

    /// <summary>Opens it. One that has a name may be opened any number of times.</summary>
    public Task<Terminal> OpenAsync(CancellationToken cancellationToken) =>
        sandbox.PersistAsync(
            async (limit, token) => new Terminal(this, await ConnectAsync(limit, token).ConfigureAwait(false)),
            cancellationToken,
            mayRepeat: Id is null ? Persistence.WasNotBegun : null);

    public Task<WebSocketConnection> ConnectAsync(TimeSpan limit, CancellationToken cancellationToken) =>
        WebSocketUpgrade.ConnectAsync(Sandbox, Path(), limit, cancellationToken);

    /// <summary>What a connection that ended without an exit code is told as, whatever it was closed with: a Manager may take a connection
    /// of its own that broke for a sandbox that is gone. Connecting again shows which of them it was.</summary>
    public static InterruptedException Cut(WebSocketConnection connection, Exception? failure) =>
        new(ClientErrorCodes.ResponseCut, $"The connection to {connection.From.Name} broke in the middle of a terminal.", failure);

    private string Path()
    {
        var query = new List<string>();
        Add("execution", Id);
        Add("command", options.Command);
        Add("cols", _size.Columns?.ToString(CultureInfo.InvariantCulture));
        Add("rows", _size.Rows?.ToString(CultureInfo.InvariantCulture));
        return Sandbox.To("terminal") + (query.Count == 0 ? "" : "?" + string.Join('&', query));

        void Add(string name, string? value)
        {
            if (value is not null)
                query.Add($"{name}={Uri.EscapeDataString(value)}");
        }
    }
}
