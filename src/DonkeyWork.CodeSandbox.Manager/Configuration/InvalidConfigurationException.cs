namespace DonkeyWork.CodeSandbox.Manager.Configuration;

/// <summary>The configuration is unusable; every fault begins with the key that it is about.</summary>
internal sealed class InvalidConfigurationException(IReadOnlyList<string> faults) : Exception(string.Join(Environment.NewLine, faults))
{
    /// <summary>All of them.</summary>
    public IReadOnlyList<string> Faults { get; } = faults;
}
