using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>What a sandbox is to be. Everything is optional; the image is the operator's choice.</summary>
public sealed record CreateSandboxOptions
{
    /// <summary>Labels of your own, by Kubernetes' rules for keys and values; the product's keys are reserved.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>What every command of the sandbox finds in its environment. Names match <c>[A-Za-z_][A-Za-z0-9_]*</c>.</summary>
    public IReadOnlyDictionary<string, string>? EnvironmentVariables { get; init; }

    /// <summary>A program (and its first arguments) started once, in the background, when the sandbox is ready.</summary>
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Arguments behind <see cref="Command"/>; without a command they are an error.</summary>
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary>Memory and CPU; missing fields come from the Manager's configuration.</summary>
    public ResourceRequirements? Resources { get; init; }

    internal CreateSandboxRequest ToRequest() => new()
    {
        Labels = Labels,
        EnvironmentVariables = EnvironmentVariables,
        Command = Command,
        Args = Args,
        Resources = Resources,
        WaitForReady = true,
    };
}
