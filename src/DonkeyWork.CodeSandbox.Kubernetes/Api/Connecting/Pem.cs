using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting;

/// <summary>Certificates and keys as configuration files hold them.</summary>
internal static class Pem
{
    /// <summary>All certificates of a bundle.</summary>
    public static X509Certificate2Collection Authorities(string pem, string what)
    {
        var certificates = new X509Certificate2Collection();
        Checked(what, () => certificates.ImportFromPem(pem));
        return certificates.Count > 0 ? certificates : throw new ClusterConfigurationException($"{what} holds no certificate in PEM.");
    }

    /// <summary>Our certificate with its private key (RSA or EC), and what else is in its file.</summary>
    public static X509Certificate2Collection ClientCertificate(string certificate, string key, string what)
    {
        var certificates = Authorities(certificate, what);
        Checked(what, () =>
        {
            var first = X509Certificate2.CreateFromPem(certificate, key);
            certificates[0].Dispose();
            certificates[0] = first;
        });
        return certificates;
    }

    public static string ReadFile(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new ClusterConfigurationException($"{path} cannot be read: {unreadable.Message}", unreadable);
        }
    }

    public static string FromBase64(string data, string what)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(data));
        }
        catch (FormatException invalid)
        {
            throw new ClusterConfigurationException($"{what} is not base64.", invalid);
        }
    }

    private static void Checked(string what, Action read)
    {
        try
        {
            read();
        }
        catch (Exception invalid) when (invalid is CryptographicException or ArgumentException)
        {
            throw new ClusterConfigurationException($"{what} cannot be used: {invalid.Message}", invalid);
        }
    }
}
