using System.Text;
using System.Text.RegularExpressions;

namespace ReadmeSamples;

/// <summary>One C# block of a README, compiled.</summary>
/// <param name="Readme">The file's name.</param>
/// <param name="Line">The block's first line in it.</param>
/// <param name="Heading">The heading that it stands under.</param>
/// <param name="Output">The <c>text</c> block right behind it, if any: what it prints; <c>...</c> stands for anything within a line.</param>
/// <param name="Body">The block, given what turns an address of the README into a real one.</param>
internal sealed record ReadmeSample(string Readme, int Line, string Heading, string? Output, Func<Func<string, string>, Task> Body)
{
    /// <summary>Runs the block and returns what it printed.</summary>
    public async Task<string> RunAsync(Func<string, string> address)
    {
        var printed = new StringWriter(new StringBuilder()) { NewLine = "\n" };
        ReadmeConsole.Writer.Value = printed;
        await Body(address);
        return printed.ToString();
    }

    /// <summary>Whether this is what the README says.</summary>
    public bool Promises(string printed) =>
        Output is null || Regex.IsMatch(printed, $@"\A{Regex.Escape(Output).Replace(@"\.\.\.", "[^\n]*", StringComparison.Ordinal)}\z");

    /// <summary>The name in a test's report.</summary>
    public override string ToString() => $"{Readme}:{Line} {Heading}";
}

/// <summary>What <c>Console</c> is in a README's block: a writer of the running test's own.</summary>
internal static class ReadmeConsole
{
    internal static readonly AsyncLocal<TextWriter> Writer = new();

    public static TextWriter Out => Writer.Value!;

    public static TextWriter Error => Writer.Value!;

    public static void Write(object? value) => Out.Write(value);

    public static void WriteLine(object? value) => Out.WriteLine(value);
}
