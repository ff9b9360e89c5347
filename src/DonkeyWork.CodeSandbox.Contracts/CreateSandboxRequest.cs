namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>The body of <c>POST /api/kata</c>. Everything is optional; an empty body is an empty request.</summary>
public sealed record CreateSandboxRequest
{
    /// <summary>Labels of the caller's own, by Kubernetes' rules for keys and values; the product's keys are reserved.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>What every command of the sandbox finds in its environment. Names match <c>[A-Za-z_][A-Za-z0-9_]*</c>.</summary>
    public IReadOnlyDictionary<string, string>? EnvironmentVariables { get; init; }

    /// <summary>The program (and first arguments) started once as the background execution <c>startup</c>.</summary>
    public IReadOnlyList<string>? Command { get; init; }

    /// <summary>Arguments behind <c>command</c>; without a command they are an error.</summary>
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary>What the sandbox is promised and what it may use at most; missing fields come from the configuration.</summary>
    public ResourceRequirements? Resources { get; init; }

    /// <summary><see langword="true"/>: the stream goes on until <c>ready</c> or <c>failed</c>. Default: it ends after <c>created</c>.</summary>
    public bool WaitForReady { get; init; }
}
