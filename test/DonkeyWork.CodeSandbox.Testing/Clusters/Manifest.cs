using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using DonkeyWork.CodeSandbox.Testing.Processes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>YAML of the repository as the JSON that an API server gets: a quoted scalar is a string, whatever it looks like.</summary>
public static partial class Manifest
{
    /// <summary>The names of the files in <c>k8s/</c>.</summary>
    public static IReadOnlyList<string> Files { get; } =
        [.. Directory.GetFiles(Path.Combine(Repository.Root, "k8s")).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    /// <summary>All objects of <c>k8s/</c>, the kustomization apart.</summary>
    public static IReadOnlyList<JsonNode> Objects { get; } =
        [.. Files.Where(file => file != "kustomization.yaml").SelectMany(file => Documents($"k8s/{file}"))];

    /// <summary>The only document of a file.</summary>
    public static JsonNode Read(string path) => Documents(path).ShouldHaveSingleItem();

    /// <summary>The document of a file of <c>k8s/</c> that is of this kind and name.</summary>
    public static JsonNode Read(string path, string kind, string name) =>
        Documents(path).Where(document => $"{document["kind"]}" == kind && $"{document["metadata"]!["name"]}" == name).ShouldHaveSingleItem();

    public static IReadOnlyList<JsonNode> Documents(string path)
    {
        var stream = new YamlStream();
        using var text = new StringReader(Repository.Read(path));
        stream.Load(text);
        return [.. stream.Documents.Select(document => Convert(document.RootNode)!)];
    }

    public static IEnumerable<string> Texts(this JsonNode? list) => list?.AsArray().Select(item => $"{item}") ?? [];

    private static JsonNode? Convert(YamlNode node) => node switch
    {
        YamlMappingNode mapping => new JsonObject(mapping.Children.Select(child => KeyValuePair.Create(((YamlScalarNode)child.Key).Value!, Convert(child.Value)))),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Children.Select(Convert)]),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: var value } => Plain(value!),
        YamlScalarNode scalar => JsonValue.Create(scalar.Value),
        _ => throw new NotSupportedException($"{node.NodeType}"),
    };

    private static JsonValue? Plain(string value) => value switch
    {
        "" or "null" or "~" => null,
        "true" => JsonValue.Create(true),
        "false" => JsonValue.Create(false),
        _ when Whole().IsMatch(value) => JsonValue.Create(int.Parse(value, CultureInfo.InvariantCulture)),
        _ => JsonValue.Create(value),
    };

    [GeneratedRegex("^-?[0-9]+$")]
    private static partial Regex Whole();
}
