namespace DonkeyWork.CodeSandbox.Local.Host;

/// <summary>This machine cannot run sandboxes as configured. The message names everything that is missing and what to do about it.</summary>
public sealed class HostRequirementsException(IReadOnlyList<string> missing) : Exception(
    string.Join(Environment.NewLine, missing.Select(line => $"- {line}").Prepend("Sandboxes cannot run on this machine yet:")))
{
    /// <summary>What is missing, each with its remedy.</summary>
    public IReadOnlyList<string> Missing { get; } = missing;
}
