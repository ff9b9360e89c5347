using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;

namespace DonkeyWork.CodeSandbox.Manager.Kata;

/// <summary>The field at which reading JSON failed, and what it has to be.</summary>
internal static partial class JsonField
{
    /// <param name="path">Where, as <see cref="System.Text.Json.JsonException.Path"/> tells it.</param>
    /// <param name="type">What the whole was read as.</param>
    public static (string Field, string Expected) At(string? path, JsonTypeInfo type)
    {
        var field = "";
        JsonTypeInfo? found = type;
        foreach (Match step in Step().Matches(path ?? ""))
        {
            field += step.Groups["index"].Success ? step.Value : $".{step.Groups["name"].Value}";
            found = found is null ? null : Below(found, step.Groups["name"].Value);
        }

        return (field is "" ? "body" : field[1..], Expected(found));
    }

    private static JsonTypeInfo? Below(JsonTypeInfo type, string name)
    {
        var below = type.ElementType ?? type.Properties.FirstOrDefault(property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase))?.PropertyType;
        return below is null ? null : type.Options.GetTypeInfo(below);
    }

    private static string Expected(JsonTypeInfo? type) => type switch
    {
        { Kind: JsonTypeInfoKind.Object } => "Must be an object.",
        { Kind: JsonTypeInfoKind.Dictionary } => "Must be an object of strings.",
        { Kind: JsonTypeInfoKind.Enumerable } => "Must be an array of strings.",
        _ when type?.Type == typeof(bool) => "Must be true or false.",
        _ when type?.Type == typeof(int) || type?.Type == typeof(int?) => $"Must be a whole number of at most {int.MaxValue}.",
        _ when type?.Type == typeof(string) => "Must be a string, and valid Unicode.",
        _ => "Is of the wrong type.",
    };

    // $.name, $[0], and $['a.b'] for names that would not be clear otherwise.
    [GeneratedRegex(@"\.(?<name>[^.\[]+)|\[(?<index>\d+)\]|\['(?<name>.*?)'\](?=[.\[]|$)", RegexOptions.Singleline)]
    private static partial Regex Step();
}
