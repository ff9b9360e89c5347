namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Kubeconfigs;

/// <summary>The API server and the user of one context of a kubeconfig.</summary>
internal static class Kubeconfig
{
    private const string Default = "KUBECONFIG";

    public static ConnectionSettings? Read(ConnectionOptions options, ClusterEnvironment environment, TimeProvider clock)
    {
        var paths = PathsOf(options, environment);
        if (paths.Count == 0) return null;
        var files = new KubeconfigSet(paths);
        var source = $"kubeconfig {string.Join(Path.PathSeparator, files.Paths)}";
        var name = NullIfEmpty(options.Context) ?? files.CurrentContext ?? throw new ClusterConfigurationException(
            $"{source} has no current-context: name one in Connection:Context. There are: {string.Join(", ", files.Names("contexts"))}.");
        var context = files.Entry("contexts", "context", name);
        source = $"{source}, context {name}";
        var cluster = files.Entry("clusters", "cluster", context.Node.Text("cluster") ?? throw new ClusterConfigurationException($"{source} names no cluster."));
        var settings = KubeconfigCluster.Read(cluster, source);
        // A context without a user is one for a server that asks for none, such as `kubectl proxy`.
        return context.Node.Text("user") is { } user
            ? KubeconfigUser.Read(files.Entry("users", "user", user), settings, clock)
            : settings;
    }

    private static List<string> PathsOf(ConnectionOptions options, ClusterEnvironment environment)
    {
        if (NullIfEmpty(options.Kubeconfig) is { } named) return [named];
        if (environment.Text(Default) is { } list)
        {
            var paths = list.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            var there = paths.Where(File.Exists).ToList();
            return there.Count > 0 ? there : throw new ClusterConfigurationException($"{Default} is {list}, but there is no such file.");
        }

        var own = Path.Combine(environment.HomeDirectory, ".kube", "config");
        return File.Exists(own) ? [own] : [];
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}
