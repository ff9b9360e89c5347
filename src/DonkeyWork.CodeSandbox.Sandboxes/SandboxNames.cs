using System.Buffers;
using System.Security.Cryptography;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>Names of sandboxes: <c>&lt;prefix&gt;-&lt;8 lower-case hex&gt;</c>.</summary>
public sealed class SandboxNames(SandboxOptions options)
{
    private const int HexDigits = 8;

    private static readonly SearchValues<char> Hex = SearchValues.Create("0123456789abcdef");

    private readonly string _prefix = options.PodNamePrefix + "-";

    /// <summary>Whether this could be a sandbox's name. Nothing else ever reaches a backend.</summary>
    public bool IsValid(string name) =>
        name.Length == _prefix.Length + HexDigits
        && name.StartsWith(_prefix, StringComparison.Ordinal)
        && !name.AsSpan(_prefix.Length).ContainsAnyExcept(Hex);

    /// <summary>A name at random; it may be taken.</summary>
    public string New() => _prefix + RandomNumberGenerator.GetHexString(HexDigits, lowercase: true);
}
