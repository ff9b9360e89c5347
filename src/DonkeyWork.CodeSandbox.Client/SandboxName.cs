using System.Text.RegularExpressions;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>
/// Guards the place of a name in a path. An empty name or a dot would vanish from the URL, and the delete of one
/// sandbox would become the delete of all.
/// </summary>
internal static partial class SandboxName
{
    public static bool IsValid(string? name) => name is not null && Pattern().IsMatch(name);

    public static string Require(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return IsValid(name) ? name : throw new ArgumentException($"'{name}' is not a sandbox name.", nameof(name));
    }

    // What a pod's name may be: https://kubernetes.io/docs/concepts/overview/working-with-objects/names
    [GeneratedRegex(@"\A[a-z0-9][a-z0-9.-]{0,252}\z")]
    private static partial Regex Pattern();
}
