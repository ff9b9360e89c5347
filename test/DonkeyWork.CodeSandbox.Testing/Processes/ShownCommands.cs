using System.Text.RegularExpressions;

namespace DonkeyWork.CodeSandbox.Testing.Processes;

/// <summary>The commands that a Markdown file shows, each with the output it shows below; run as a reader would, in one shell.</summary>
public sealed class ShownCommands
{
    private const char Separator = '\x1e';

    private readonly IReadOnlyList<(string Command, string? Output)> _blocks;

    private ShownCommands(IReadOnlyList<(string, string?)> blocks) => _blocks = blocks;

    public int Count => _blocks.Count;

    /// <param name="markdown">The text, or a section of it.</param>
    /// <param name="language">The language that the blocks of commands are marked with.</param>
    public static ShownCommands In(string markdown, string language) => new(
    [
        .. Regex.Matches(markdown, $"```{language}\n(?<command>.*?)```\n(```text\n(?<output>.*?)```\n)?", RegexOptions.Singleline)
            .Select(block => (block.Groups["command"].Value, block.Groups["output"] is { Success: true } output ? output.Value : null)),
    ]);

    /// <summary>A section of a Markdown file, without its heading.</summary>
    public static string Section(string path, string heading)
    {
        var parts = Repository.Read(path).Split($"\n## {heading}\n");
        parts.Length.ShouldBe(2, $"{path} has no section \"{heading}\"");
        return parts[1].Split("\n## ")[0] + "\n";
    }

    /// <summary>Each block printed what is shown below it.</summary>
    /// <param name="adapt">Puts this test's addresses in place of those shown.</param>
    /// <param name="environment">Of the shell.</param>
    /// <param name="limit">For all of them together.</param>
    public async Task RunAsync(Func<string, string> adapt, IReadOnlyDictionary<string, string>? environment = null, TimeSpan? limit = null)
    {
        var script = string.Join($"printf '{Separator}'\n", _blocks.Select(block => adapt(block.Command)));
        // What a block leaves in the background ends with the shell.
        var shell = await Tool.RunAsync("/bin/bash", ["-c", $"trap 'kill $(jobs -p) 2>/dev/null' EXIT\n{script}"], environment, limit);

        var outputs = shell.Output.Split(Separator);
        outputs.Length.ShouldBe(_blocks.Count, shell.Output + shell.Error);
        foreach (var ((command, shown), output) in _blocks.Zip(outputs).Where(pair => pair.First.Output is not null))
        {
            Neutral(output).Trim().ShouldMatch(Pattern(shown!), command + shell.Error);
        }
    }

    /// <summary>What is shown as a pattern: "..." stands for anything, names and process ids for any other.</summary>
    private static string Pattern(string shown) => $"^{Regex.Escape(Neutral(shown).Trim()).Replace(@"\.\.\.", @"[\s\S]*?")}$";

    private static string Neutral(string output) => Regex.Replace(
        Regex.Replace(output, "kata-sandbox-[0-9a-f]{8}", "kata-sandbox-NAME"), "\"pid\":[0-9]+", "\"pid\":N");
}
