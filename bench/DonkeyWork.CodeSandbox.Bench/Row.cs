using System.Globalization;

namespace DonkeyWork.CodeSandbox.Bench;

/// <summary>One line of the result.</summary>
internal sealed record Row(string What, string Ours, string Other, string Ratio, string Target)
{
    public static Row OfTimes(string what, Samples ours, string otherName, Samples other, string target) => new(
        what, ours.ToString(), $"{otherName}: {other}", Number(ours.Median / other.Median, "0.00"), target);

    public static Row OfTails(string what, Samples ours, string otherName, Samples other, string target) => new(
        what, $"{Number(ours.Tail)} ms", $"{otherName}: {Number(other.Tail)} ms", Number(ours.Tail / other.Tail, "0.00"), target);

    public static string Number(double value, string format = "0.0") => value.ToString(format, CultureInfo.InvariantCulture);
}

/// <summary>Milliseconds of several runs.</summary>
internal sealed class Samples
{
    private readonly List<double> values = [];

    public double Median => At(0.5);

    /// <summary>Of a hundred, all but one are not above it.</summary>
    public double Tail => At(0.99);

    public void Add(TimeSpan time) => values.Add(time.TotalMilliseconds);

    public override string ToString() =>
        $"median {Row.Number(Median)} ms (min {Row.Number(At(0))}, p99 {Row.Number(Tail)}, n={values.Count})";

    private double At(double quantile)
    {
        var sorted = values.Order().ToList();
        return sorted[(int)Math.Round(quantile * (sorted.Count - 1))];
    }
}
