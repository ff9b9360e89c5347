using System.Globalization;

namespace DonkeyWork.CodeSandbox.Kubernetes.Quota;

/// <summary>
/// A number of objects as the API server writes quantities: 1,000 comes as <c>1k</c>
/// (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/).
/// </summary>
internal static class Count
{
    private const string Thousands = "kMGTPE";

    /// <summary>The number; what is not one limits nothing.</summary>
    public static int Parse(string quantity)
    {
        var power = quantity.Length == 0 ? -1 : Thousands.IndexOf(quantity[^1], StringComparison.Ordinal);
        var digits = power < 0 ? quantity : quantity[..^1];
        return decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? (int)Math.Min(number * (decimal)Math.Pow(1000, power + 1), int.MaxValue)
            : int.MaxValue;
    }
}
