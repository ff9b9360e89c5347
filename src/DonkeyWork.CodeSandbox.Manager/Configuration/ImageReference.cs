using System.Text.RegularExpressions;

namespace DonkeyWork.CodeSandbox.Manager.Configuration;

/// <summary>Image references by the grammar of https://github.com/distribution/reference.</summary>
internal static partial class ImageReference
{
    private const int MaxLength = 512;

    /// <summary><c>[host[:port]/]path[:tag][@digest]</c>.</summary>
    public static bool IsValid(string text) => text.Length <= MaxLength && Grammar.IsMatch(text);

    [GeneratedRegex(
        """
        \A
        (([A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?(\.[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])(:[0-9]+)?/)?
        [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*
        (:[A-Za-z0-9_][-A-Za-z0-9_.]{0,127})?
        (@[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,})?
        \z
        """,
        RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture)]
    private static partial Regex Grammar { get; }
}
