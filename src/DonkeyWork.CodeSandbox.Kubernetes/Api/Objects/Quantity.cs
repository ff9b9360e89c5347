using System.Globalization;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

/// <summary>
/// The API's quantities: <c>512Mi</c>, <c>250m</c>, <c>1.5</c>, <c>1e3</c>
/// (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/).
/// </summary>
public static class Quantity
{
    private static readonly (string Suffix, decimal Factor)[] Suffixes =
    [
        ("Ki", 1024m), ("Mi", 1048576m), ("Gi", 1073741824m), ("Ti", 1099511627776m), ("Pi", 1125899906842624m), ("Ei", 1152921504606846976m),
        ("n", 0.000000001m), ("u", 0.000001m), ("m", 0.001m), ("k", 1000m), ("M", 1000000m), ("G", 1000000000m),
        ("T", 1000000000000m), ("P", 1000000000000000m), ("E", 1000000000000000000m),
    ];

    /// <summary>Its value; <see langword="null"/> where it is none, or beyond what can be counted.</summary>
    public static decimal? Parse(string? text)
    {
        var digits = text.AsSpan();
        var factor = 1m;
        foreach (var (suffix, value) in Suffixes)
        {
            if (!digits.EndsWith(suffix, StringComparison.Ordinal)) continue;
            digits = digits[..^suffix.Length];
            factor = value;
            break;
        }

        if (!decimal.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)) return null;
        try
        {
            return number * factor;
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    /// <summary>Bytes as MiB, rounded up.</summary>
    public static int? ToMebibytes(string? text) => Whole(Parse(text) / 1048576m);

    /// <summary>Cores as thousandths of a core, rounded up.</summary>
    public static int? ToMillicores(string? text) => Whole(Parse(text) * 1000m);

    private static int? Whole(decimal? value) => value is { } number && decimal.Ceiling(number) is >= 0 and <= int.MaxValue and var whole ? (int)whole : null;
}
