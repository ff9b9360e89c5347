using System.Text.RegularExpressions;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>Every bash block of the README, in its order and in one shell, prints what the README says that it prints.</summary>
[Collection(SharedManagerCollection.Name)]
public sealed class ReadmeCurlTests(SharedManager shared)
{
    private const char Separator = '\x1e';

    [Fact]
    public async Task The_commands_of_the_README_print_what_it_shows()
    {
        var readme = Repository.Read("README.md");
        var blocks = Regex.Matches(readme, "```bash\n(?<command>.*?)```\n(```text\n(?<output>.*?)```\n)?", RegexOptions.Singleline);
        blocks.Count.ShouldBeGreaterThanOrEqualTo(5);
        var script = string.Join($"printf '{Separator}'\n", blocks.Select(block => block.Groups["command"].Value))
            .Replace("http://127.0.0.1:8668", shared.Manager.Url.ToString().TrimEnd('/'));

        var shell = await Tool.BashAsync(script, new Dictionary<string, string> { ["Local__StateDirectory"] = shared.Manager.StateDirectory });

        var outputs = shell.Output.Split(Separator);
        outputs.Length.ShouldBe(blocks.Count, shell.Output + shell.Error);
        foreach (var (block, output) in blocks.Zip(outputs).Where(pair => pair.First.Groups["output"].Success))
        {
            Neutral(output).Trim().ShouldMatch(Pattern(block.Groups["output"].Value), block.Groups["command"].Value + shell.Error);
        }
    }

    /// <summary>The README's output as a pattern: "..." stands for anything, names and process ids for any other.</summary>
    private static string Pattern(string shown) => $"^{Regex.Escape(Neutral(shown).Trim()).Replace(@"\.\.\.", @"[\s\S]*?")}$";

    private static string Neutral(string output) => Regex.Replace(
        Regex.Replace(output, "kata-sandbox-[0-9a-f]{8}", "kata-sandbox-NAME"), "\"pid\":[0-9]+", "\"pid\":N");
}
