using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Kubeconfigs;

/// <summary>An entry of a kubeconfig, and the directory that its relative paths start from.</summary>
internal sealed record KubeconfigEntry(YamlMappingNode Node, string Directory);

/// <summary>
/// One or several kubeconfig files as one: of entries with the same name, and of current contexts, the first counts
/// (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files).
/// </summary>
internal sealed class KubeconfigSet
{
    private readonly List<(YamlMappingNode Root, string Directory)> _files = [];

    public KubeconfigSet(IEnumerable<string> paths)
    {
        Paths = [.. paths];
        foreach (var path in Paths) _files.Add((Load(path), Path.GetDirectoryName(Path.GetFullPath(path))!));
    }

    public IReadOnlyList<string> Paths { get; }

    public string? CurrentContext => _files.Select(file => file.Root.Text("current-context")).FirstOrDefault(name => name is not null);

    /// <param name="list"><c>contexts</c>, <c>clusters</c> or <c>users</c>.</param>
    /// <param name="kind">The key that holds the entry: <c>context</c>, <c>cluster</c> or <c>user</c>.</param>
    /// <param name="name">Of the entry.</param>
    /// <exception cref="ClusterConfigurationException">There is none.</exception>
    public KubeconfigEntry Entry(string list, string kind, string name)
    {
        foreach (var (root, directory) in _files)
        {
            foreach (var item in root.Items(list).OfType<YamlMappingNode>().Where(item => item.Text("name") == name))
            {
                return new KubeconfigEntry(item.Map(kind) ?? new YamlMappingNode(), directory);
            }
        }

        throw new ClusterConfigurationException($"{string.Join(" and ", Paths)}: there is no {kind} '{name}'; there are: {string.Join(", ", Names(list))}.");
    }

    public IEnumerable<string> Names(string list) =>
        _files.SelectMany(file => file.Root.Items(list)).OfType<YamlMappingNode>().Select(item => item.Text("name")).OfType<string>();

    private static YamlMappingNode Load(string path)
    {
        try
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(Pem.ReadFile(path)));
            return yaml.Documents is [{ RootNode: YamlMappingNode root }, ..]
                ? root
                : throw new ClusterConfigurationException($"{path} is not a kubeconfig.");
        }
        catch (YamlException invalid)
        {
            throw new ClusterConfigurationException($"{path} is not YAML: {invalid.Message} (line {invalid.Start.Line})", invalid);
        }
        catch (InvalidOperationException invalid)
        {
            // How the parser takes a `{` that is never closed.
            throw new ClusterConfigurationException($"{path} is not YAML.", invalid);
        }
    }
}
