using YamlDotNet.RepresentationModel;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Kubeconfigs;

/// <summary>Reading what may not be there.</summary>
internal static class YamlNodes
{
    public static YamlMappingNode? Map(this YamlMappingNode? node, string key) => node.Child(key) as YamlMappingNode;

    public static IEnumerable<YamlNode> Items(this YamlMappingNode? node, string key) =>
        node.Child(key) is YamlSequenceNode items ? items.Children : [];

    /// <summary>A text that says something.</summary>
    public static string? Text(this YamlMappingNode? node, string key) =>
        node.Child(key) is YamlScalarNode { Value: { Length: > 0 } value } and not { Value: "null" or "~", Style: YamlDotNet.Core.ScalarStyle.Plain } ? value : null;

    public static bool Flag(this YamlMappingNode? node, string key) => node.Text(key) is "true" or "True" or "TRUE";

    private static YamlNode? Child(this YamlMappingNode? node, string key) =>
        node is not null && node.Children.TryGetValue(new YamlScalarNode(key), out var child) ? child : null;
}
