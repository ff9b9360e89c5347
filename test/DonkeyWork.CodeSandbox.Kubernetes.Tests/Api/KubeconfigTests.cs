using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Testing.Clusters;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;

/// <summary>Each way a kubeconfig can say who we are, and whom we trust, against the real API server.</summary>
[Collection(ControlCollection.Name)]
public sealed class KubeconfigTests(ControlNamespace control) : IClassFixture<ControlNamespace>, IDisposable
{
    private readonly ConfigurationFiles _files = new();

    private string Server => control.Server.AbsoluteUri;

    private ControlCluster Cluster => control.Cluster;

    private string Authority => $"certificate-authority: {Cluster.AuthorityFile}";

    private string Token => $"token: {Cluster.AdminToken}";

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Certificates_in_files_are_found_beside_the_kubeconfig()
    {
        _files.Write("ca.crt", File.ReadAllText(Cluster.AuthorityFile));
        _files.Write("me.crt", File.ReadAllText(Cluster.ClientCertificateFile));
        _files.Write("me.key", File.ReadAllText(Cluster.ClientKeyFile));
        await ShouldWorkAsync(_files.WriteKubeconfig(Server, "certificate-authority: ca.crt", "client-certificate: me.crt\nclient-key: me.key"));
    }

    [Fact]
    public async Task Certificates_stand_in_the_kubeconfig()
    {
        var user = $"client-certificate-data: {Base64(Cluster.ClientCertificateFile)}\nclient-key-data: {Base64(Cluster.ClientKeyFile)}";
        await ShouldWorkAsync(_files.WriteKubeconfig(Server, $"certificate-authority-data: {Base64(Cluster.AuthorityFile)}", user));
    }

    [Fact]
    public async Task A_key_may_be_RSA_or_EC_in_its_own_form_or_in_PKCS_8()
    {
        using var rsa = RSA.Create(2048);
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _files.Write("rsa.crt", Issue(new CertificateRequest("CN=rsa-admin, O=system:masters", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)));
        _files.Write("ec.crt", Issue(new CertificateRequest("CN=ec-admin, O=system:masters", ec, HashAlgorithmName.SHA256)));
        foreach (var (certificate, key) in ((string, string)[])[
            ("rsa.crt", rsa.ExportRSAPrivateKeyPem()), ("rsa.crt", rsa.ExportPkcs8PrivateKeyPem()), ("ec.crt", ec.ExportECPrivateKeyPem()), ("ec.crt", ec.ExportPkcs8PrivateKeyPem())])
        {
            _files.Write("key", key);
            await ShouldWorkAsync(_files.WriteKubeconfig(Server, Authority, $"client-certificate: {certificate}\nclient-key: key"));
        }
    }

    [Fact]
    public async Task A_token_stands_in_the_kubeconfig_or_in_a_file_beside_it()
    {
        await ShouldWorkAsync(_files.WriteKubeconfig(Server, Authority, Token));
        _files.Write("token", Cluster.AdminToken + "\n");
        await ShouldWorkAsync(_files.WriteKubeconfig(Server, Authority, "token: stale\ntokenFile: token"));
        await ShouldFailAsync(_files.WriteKubeconfig(Server, Authority, "token: wrong"));
    }

    [Fact]
    public async Task A_server_that_somebody_else_vouches_for_is_never_told_our_token()
    {
        using var key = RSA.Create(2048);
        using var stranger = new CertificateRequest("CN=stranger", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
        _files.Write("stranger.crt", stranger.ExportCertificatePem());
        var config = _files.WriteKubeconfig(Server, "certificate-authority: stranger.crt", Token);
        (await Should.ThrowAsync<ApiUnreachableException>(ListAsync(config))).ShouldSatisfyAllConditions(
            refused => refused.MayHaveBeenSent.ShouldBeFalse(), refused => refused.Message.ShouldContain("certificate"));
        await ShouldWorkAsync(_files.WriteKubeconfig(Server, "insecure-skip-tls-verify: true", Token));
    }

    [Fact]
    public async Task The_name_in_the_certificate_is_that_of_the_address_or_the_one_that_is_said()
    {
        await ShouldWorkAsync(_files.WriteKubeconfig(Server, $"{Authority}\ntls-server-name: kubernetes.default", Token));
        var config = _files.WriteKubeconfig(Server, $"{Authority}\ntls-server-name: somebody.else", Token);
        (await Should.ThrowAsync<ApiUnreachableException>(ListAsync(config))).MayHaveBeenSent.ShouldBeFalse();
    }

    [Fact]
    public void What_cannot_be_used_is_said()
    {
        Refusal(_files.WriteKubeconfig("ftp://x", "", Token)).ShouldContain("not the address of an API server");
        Refusal(_files.WriteKubeconfig(Server, Authority, "client-certificate: missing.crt\nclient-key: missing.key")).ShouldContain("missing.crt");
        Refusal(_files.WriteKubeconfig(Server, "certificate-authority-data: '%%'", Token)).ShouldContain("not base64");
        Refusal(_files.WriteKubeconfig(Server, Authority, $"client-certificate: {Cluster.ClientCertificateFile}")).ShouldContain("without its key");
        Refusal(_files.WriteKubeconfig(Server, Authority, "auth-provider: {name: gcp}")).ShouldContain("auth-provider");
        Refusal(_files.WriteKubeconfig(Server, Authority, $"{Token}\nas: somebody")).ShouldContain("'as'");
        Refusal(_files.WriteKubeconfig(Server, $"{Authority}\nproxy-url: http://proxy", Token)).ShouldContain("proxy-url");
        Refusal(_files.WriteKubeconfig(Server, Authority, "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}")).ShouldContain("v1alpha1");
        Refusal(_files.WriteKubeconfig(Server, Authority, Token), "missing").ShouldContain("there are: here, nowhere");
        Refusal(_files.WriteKubeconfig(Server, Authority, Token), "nowhere").ShouldContain("no cluster 'none'");
        Refusal(_files.Write("broken", "a: [")).ShouldContain("not YAML");
        Refusal(_files.Write("unclosed", "a:\n- b: {c: https://x\nd: e\n")).ShouldContain("not YAML");
        Refusal(Path.Combine(_files.Path, "no-such-file")).ShouldContain("no-such-file");
    }

    private static string Refusal(string kubeconfig, string? context = null) => Should.Throw<ClusterConfigurationException>(
        () => ClusterConnection.Load(new ConnectionOptions { Kubeconfig = kubeconfig, Context = context }, TimeProvider.System)).Message;

    private string Issue(CertificateRequest request)
    {
        using var authority = X509Certificate2.CreateFromPemFile(Cluster.AuthorityFile, Path.ChangeExtension(Cluster.AuthorityFile, "key"));
        var signer = authority.GetECDsaPrivateKey() is { } ec
            ? X509SignatureGenerator.CreateForECDsa(ec)
            : X509SignatureGenerator.CreateForRSA(authority.GetRSAPrivateKey()!, RSASignaturePadding.Pkcs1);
        using var issued = request.Create(authority.SubjectName, signer, authority.NotBefore, authority.NotAfter, RandomNumberGenerator.GetBytes(8));
        return issued.ExportCertificatePem();
    }

    private static string Base64(string file) => Convert.ToBase64String(File.ReadAllBytes(file));

    private async Task ShouldWorkAsync(string kubeconfig) => (await ListAsync(kubeconfig)).ShouldBe(0);

    private async Task ShouldFailAsync(string kubeconfig) => (await Should.ThrowAsync<ApiException>(ListAsync(kubeconfig))).StatusCode.ShouldBe(401);

    private async Task<int> ListAsync(string kubeconfig)
    {
        using var client = control.With(new ConnectionOptions { Kubeconfig = kubeconfig });
        return (await client.Client.Pods.ListAsync(null, default)).Count;
    }
}
