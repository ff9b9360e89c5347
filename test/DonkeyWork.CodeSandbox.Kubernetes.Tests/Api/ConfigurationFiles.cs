namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;

/// <summary>A directory for one test's files.</summary>
internal sealed class ConfigurationFiles : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("codesandbox-test-").FullName;

    /// <summary>Writes a file, replacing it as the kubelet does: it is never seen half written.</summary>
    public string Write(string name, string text)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllText(path + ".new", text);
        File.Move(path + ".new", path, overwrite: true);
        return path;
    }

    /// <summary>Writes a program.</summary>
    public string WriteScript(string name, string text)
    {
        var path = Write(name, $"#!/bin/sh\n{text}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>A kubeconfig of one context; the parts are lines of YAML for the cluster and for the user.</summary>
    public string WriteKubeconfig(string server, string cluster, string user, string name = "config") => Write(name, $"""
        apiVersion: v1
        kind: Config
        current-context: here
        contexts:
        - name: here
          context: {"{"}cluster: c, user: u{"}"}
        - name: nowhere
          context: {"{"}cluster: none, user: u{"}"}
        clusters:
        - name: c
          cluster:
            server: {server}
        {Indented(cluster)}
        users:
        - name: u
          user:
        {Indented(user)}
        """);

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private static string Indented(string lines) => string.Join('\n', lines.Split('\n').Select(line => $"    {line}"));
}
