using System.Security.Cryptography;
using System.Text;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>The Manager's secret and the tokens derived from it: HMAC-SHA256 over a sandbox's name and nonce.</summary>
public sealed class SandboxTokens(byte[] secret)
{
    /// <summary>The token the executor of this sandbox asks for, in lower-case hex.</summary>
    public string TokenOf(string name, string nonce) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes($"{name}\n{nonce}")));

    /// <summary>Lower-case hex of a token's SHA-256, which is all an executor is given.</summary>
    public static string HashOf(string token) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    /// <summary>A nonce: 32 hex characters of randomness.</summary>
    public static string NewNonce() => RandomNumberGenerator.GetHexString(32, lowercase: true);
}
