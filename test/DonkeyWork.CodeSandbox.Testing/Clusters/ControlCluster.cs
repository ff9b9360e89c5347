namespace DonkeyWork.CodeSandbox.Testing.Clusters;

/// <summary>
/// etcd and an API server alone, the tests' own: pods are accepted and never run, and the API server can be killed.
/// <c>CODESANDBOX_TEST_CONTROL</c> is the directory of its state.
/// </summary>
public sealed class ControlCluster : TestCluster
{
    private readonly string _directory;

    private ControlCluster(string directory) : base(Path.Combine(directory, "kubeconfig"), runsPods: false) => _directory = directory;

    public static ControlCluster Current => new(Variable("CODESANDBOX_TEST_CONTROL"));

    /// <summary>A bearer token of an administrator.</summary>
    public string AdminToken => File.ReadAllText(FileOf("pki/token")).Trim();

    public string AuthorityFile => FileOf("pki/ca.crt");

    public string ClientCertificateFile => FileOf("pki/admin.crt");

    public string ClientKeyFile => FileOf("pki/admin.key");

    /// <summary>One line of JSON per request, written before its answer.</summary>
    public string AuditLog => FileOf("audit.log");

    /// <summary>SIGKILL.</summary>
    public static Task KillApiServerAsync() => Current.ApiServerAsync("kill");

    /// <summary>Returns when it is ready.</summary>
    public static Task StartApiServerAsync() => Current.ApiServerAsync("start");

    private string FileOf(string name) => Path.Combine(_directory, name);
}
