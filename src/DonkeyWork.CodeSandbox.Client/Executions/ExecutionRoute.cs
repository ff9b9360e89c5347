using System.Text.RegularExpressions;
using DonkeyWork.CodeSandbox.Client.Connection;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Executions;

/// <summary>One execution's routes.</summary>
internal sealed partial class ExecutionRoute(SandboxRoute sandbox, string id)
{
    public const string All = "executions";

    public string Id { get; } = id;

    public SandboxRoute Sandbox { get; } = sandbox.Living;

    public static string RequireId(string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return Pattern().IsMatch(id) ? id : throw new ArgumentException($"'{id}' is not an execution's id.", nameof(id));
    }

    public Call Get() => new(HttpMethod.Get, To(""));

    public Call Delete() => new(HttpMethod.Delete, To(""));

    public Call Events(long after, bool output) => new(HttpMethod.Get, To($"/events?after={after}{(output ? "" : "&output=false")}"))
    {
        Accept = ExecutionEventNames.FramesMediaType,
        IsStream = true,
    };

    public Call Post<T>(string what, T body) => new(HttpMethod.Post, To($"/{what}")) { Content = ServerConnection.JsonOf(body) };

    public Call Input(long offset, ReadOnlyMemory<byte> bytes) => new(HttpMethod.Post, To($"/stdin?offset={offset}"))
    {
        Content = () => new ReadOnlyMemoryContent(bytes) { Headers = { ContentType = new("application/octet-stream") } },
    };

    public Call EndInput() => new(HttpMethod.Delete, To("/stdin"));

    private string To(string what) => sandbox.To($"{All}/{Id}{what}");

    // What the wire takes; it also keeps dots and slashes out of the path.
    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex Pattern();
}
