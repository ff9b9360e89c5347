using System.Text.RegularExpressions;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>What commands find in their environment: a small constant set, then what the sandbox was given.</summary>
internal sealed partial class SandboxEnvironment
{
    private const string PreferredHome = "/home/user";
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private readonly Dictionary<string, string> _constant;
    private volatile IReadOnlyDictionary<string, string> _sandbox = new Dictionary<string, string>();

    /// <param name="own">The executor's own environment, of which five variables are passed on.</param>
    public SandboxEnvironment(Func<string, string?> own)
    {
        HomeDirectory = Directory.Exists(PreferredHome) ? PreferredHome : own("HOME") ?? "/";
        _constant = new()
        {
            ["PATH"] = own("PATH") ?? DefaultPath,
            ["HOME"] = own("HOME") ?? HomeDirectory,
            ["USER"] = own("USER") ?? "user",
            ["LANG"] = own("LANG") ?? "C.UTF-8",
            ["TERM"] = own("TERM") ?? "xterm-256color",
        };
    }

    /// <summary>Where commands start that name no directory.</summary>
    public string HomeDirectory { get; }

    /// <summary>Adds to what every later command finds.</summary>
    public void Add(IReadOnlyDictionary<string, string>? variables) => _sandbox = Merge(_sandbox, variables);

    /// <summary>The whole environment of a command that brings <paramref name="own"/> variables.</summary>
    public IReadOnlyDictionary<string, string> For(IReadOnlyDictionary<string, string>? own = null) =>
        Merge(Merge(_constant, _sandbox), own);

    /// <summary>What is wrong with such variables: names match <c>[A-Za-z_][A-Za-z0-9_]*</c>, values have no NUL.</summary>
    public static string[] Validate(IReadOnlyDictionary<string, string>? variables)
    {
        var faults = new List<string>();
        foreach (var (name, value) in variables ?? new Dictionary<string, string>())
        {
            if (!Name().IsMatch(name))
                faults.Add($"'{name}' is not a name: [A-Za-z_][A-Za-z0-9_]*");
            if (value is null)
                faults.Add($"'{name}' is null");
            else if (value.Contains('\0', StringComparison.Ordinal))
                faults.Add($"'{name}' contains a NUL");
        }

        return [.. faults];
    }

    private static Dictionary<string, string> Merge(
        IReadOnlyDictionary<string, string> first, IReadOnlyDictionary<string, string>? second)
    {
        var merged = new Dictionary<string, string>(first, StringComparer.Ordinal);
        foreach (var (name, value) in second ?? new Dictionary<string, string>())
            merged[name] = value;
        return merged;
    }

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}
