using System.Globalization;

namespace DonkeyWork.CodeSandbox.Server.Http;

/// <summary>Parameters of a query.</summary>
internal static class Query
{
    /// <summary>A whole number from 0 on, or <see langword="null"/> where there is none.</summary>
    /// <exception cref="RequestException">With <c>invalid_request</c>: it is something else.</exception>
    public static long? Number(HttpContext context, string name) =>
        context.Request.Query[name] is { Count: > 0 } values ? ParseNumber(name, values.ToString()) : null;

    /// <summary><c>true</c> or <c>false</c> in any case, or <see langword="null"/> where there is none, or an empty one.</summary>
    /// <exception cref="RequestException">With <c>invalid_request</c>: it is something else.</exception>
    public static bool? Flag(HttpContext context, string name) =>
        context.Request.Query[name].ToString() is not { Length: > 0 } text ? null
        : bool.TryParse(text, out var value) ? value
        : throw Json.InvalidFields(new() { [name] = ["must be true or false"] });

    /// <summary>A whole number from 0 on.</summary>
    /// <exception cref="RequestException">With <c>invalid_request</c>: it is something else.</exception>
    public static long ParseNumber(string name, string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Json.InvalidFields(new() { [name] = ["must be a whole number from 0 on"] });
}
