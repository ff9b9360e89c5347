namespace DonkeyWork.CodeSandbox.Local.State;

/// <summary>Another Manager works on the same state directory.</summary>
public sealed class StateDirectoryInUseException : Exception
{
    private StateDirectoryInUseException(string message, int? processId, Uri? url)
        : base(message)
    {
        ProcessId = processId;
        Url = url;
    }

    /// <summary>Its process id, where it has said so.</summary>
    public int? ProcessId { get; }

    /// <summary>Where it listens, where it has said so.</summary>
    public Uri? Url { get; }

    internal static StateDirectoryInUseException Of(string path, string[] announced)
    {
        int? pid = int.TryParse(announced.ElementAtOrDefault(0), out var number) ? number : null;
        var url = Uri.TryCreate(announced.ElementAtOrDefault(1), UriKind.Absolute, out var uri) ? uri : null;
        var who = pid is null ? "Another Manager" : $"Another Manager (process {pid}{(url is null ? "" : $", {url}")})";
        return new StateDirectoryInUseException(
            $"{who} holds {path}. Use that one, end it, or set {LocalOptions.Section}:{nameof(LocalOptions.StateDirectory)} to another directory.", pid, url);
    }
}
