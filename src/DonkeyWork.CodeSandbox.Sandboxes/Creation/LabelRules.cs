using System.Text.RegularExpressions;

namespace DonkeyWork.CodeSandbox.Sandboxes.Creation;

/// <summary>
/// Labels by Kubernetes' rules
/// (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set), less the reserved keys.
/// </summary>
internal static partial class LabelRules
{
    private const int MaxPrefixLength = 253;

    private static readonly string[] ReservedDomains = ["codesandbox.donkeywork.dev", "kubernetes.io", "k8s.io"];

    public static void Check(IReadOnlyDictionary<string, string>? labels, FieldErrors errors)
    {
        foreach (var (key, value) in labels ?? new Dictionary<string, string>())
        {
            var field = $"labels.{key}";
            if (!IsKey(key)) errors.Add(field, "The key is not a label key: [prefix/]name, name of 1-63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit; prefix a DNS name.");
            else if (IsReserved(key)) errors.Add(field, "The key is reserved.");

            if (value is null || !Value.IsMatch(value)) errors.Add(field, "The value is not a label value: at most 63 letters, digits, '-', '_' and '.', beginning and ending with a letter or digit.");
        }
    }

    private static bool IsKey(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0) return Name.IsMatch(key);
        return slash <= MaxPrefixLength && Prefix.IsMatch(key[..slash]) && Name.IsMatch(key[(slash + 1)..]);
    }

    private static bool IsReserved(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0) return key == SandboxLabels.AllocatedTo || SandboxLabels.OfManual.ContainsKey(key);
        var prefix = key[..slash];
        return ReservedDomains.Any(domain => prefix == domain || prefix.EndsWith($".{domain}", StringComparison.Ordinal));
    }

    [GeneratedRegex(@"\A[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\z")]
    private static partial Regex Name { get; }

    [GeneratedRegex(@"\A([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?\z")]
    private static partial Regex Value { get; }

    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z")]
    private static partial Regex Prefix { get; }
}
