using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace DonkeyWork.CodeSandbox.Manager.Configuration;

/// <summary>
/// Binds a section and checks its annotations. Unlike the framework's binder it goes on after the first value of a wrong
/// type, so that an operator is told everything at once, by key.
/// </summary>
internal static class OptionsReader
{
    /// <summary>Reads <typeparamref name="T"/>; what is wrong is added to <paramref name="faults"/> and left at its default.</summary>
    public static T Read<T>(IConfigurationSection section, List<string> faults)
        where T : new()
    {
        var options = new T();
        Fill(options, section, faults);
        return options;
    }

    private static void Fill(object options, IConfigurationSection section, List<string> faults)
    {
        var properties = options.GetType().GetProperties().Where(property => property.SetMethod is not null).ToList();
        foreach (var unknown in section.GetChildren().Where(child => !properties.Exists(property => property.Name.Equals(child.Key, StringComparison.OrdinalIgnoreCase))))
            faults.Add($"{unknown.Path}: there is no such setting.");
        foreach (var property in properties)
        {
            var child = section.GetSection(property.Name);
            if (IsScalar(property.PropertyType)) FillScalar(options, property, child, faults);
            else if (property.GetValue(options) is { } nested) Fill(nested, child, faults);
        }
    }

    private static void FillScalar(object options, PropertyInfo property, IConfigurationSection child, List<string> faults)
    {
        if (child.Value is not { } text)
        {
            if (child.GetChildren().Any()) faults.Add($"{child.Path}: takes one value, not a section.");
            return;
        }

        if (!TryParse(property.PropertyType, text, out var value, out var expected))
        {
            faults.Add($"{child.Path}: '{text}' is not {expected}.");
            return;
        }

        property.SetValue(options, value);
        if (property.GetCustomAttributes<ValidationAttribute>().FirstOrDefault(rule => !IsKept(rule, value)) is { } broken)
            faults.Add($"{child.Path}: {Wording(broken, value)}");
    }

    // The attribute itself lets empty text pass, whatever the expression.
    private static bool IsKept(ValidationAttribute rule, object? value) =>
        rule.IsValid(value) && !(rule is RegularExpressionAttribute expression && value is "" && !Regex.IsMatch("", $"^({expression.Pattern})$"));

    private static string Wording(ValidationAttribute rule, object? value) => rule switch
    {
        { ErrorMessage: { } own } => $"'{value}' {own}.",
        RangeAttribute range => $"{value} is not in the range {range.Minimum} to {range.Maximum}.",
        RegularExpressionAttribute expression => $"'{value}' does not match {expression.Pattern}.",
        _ => rule.FormatErrorMessage($"{value}"),
    };

    private static bool IsScalar(Type type) => type == typeof(string) || type == typeof(int) || type == typeof(bool) || type.IsEnum;

    private static bool TryParse(Type type, string text, out object? value, out string expected)
    {
        value = text;
        expected = "text";
        if (type == typeof(string)) return true;

        if (type == typeof(int))
        {
            expected = "a whole number";
            var isNumber = int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number);
            value = number;
            return isNumber;
        }

        if (type == typeof(bool))
        {
            expected = "true or false";
            var isBoolean = bool.TryParse(text, out var boolean);
            value = boolean;
            return isBoolean;
        }

        // Enum.Parse would take numbers and lists too.
        var name = Enum.GetNames(type).FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase));
        expected = $"one of {string.Join(", ", Enum.GetNames(type))}";
        value = name is null ? null : Enum.Parse(type, name);
        return name is not null;
    }
}
