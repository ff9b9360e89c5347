using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace DonkeyWork.CodeSandbox.Manager.Access;

/// <summary>The key that callers must know. Only its hash is kept; comparing takes the same time whatever is wrong.</summary>
internal sealed class ApiKey(string key)
{
    private const string HeaderName = "X-Api-Key";
    private const string BearerPrefix = "Bearer ";
    private const string ProtocolPrefix = "key.";

    private readonly byte[] _hash = SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>Whether a header can carry it as it is.</summary>
    public static bool IsUsable(string key) => key.Length > 0 && !key.AsSpan().ContainsAnyExceptInRange('!', '~');

    /// <summary>Whether the request gives the key, in one of the places where it may.</summary>
    public bool IsGivenBy(HttpRequest request) => Candidates(request).Any(Matches);

    private static IEnumerable<string?> Candidates(HttpRequest request)
    {
        foreach (var value in request.Headers[HeaderName]) yield return value;
        foreach (var value in request.Headers.Authorization)
        {
            if (value?.StartsWith(BearerPrefix, StringComparison.OrdinalIgnoreCase) == true) yield return value[BearerPrefix.Length..].Trim();
        }

        // A page cannot set headers on a WebSocket, but it can offer subprotocols.
        foreach (var offered in request.Headers.GetCommaSeparatedValues("Sec-WebSocket-Protocol"))
        {
            if (offered.StartsWith(ProtocolPrefix, StringComparison.Ordinal)) yield return Decode(offered[ProtocolPrefix.Length..]);
        }
    }

    private static string? Decode(string base64Url) =>
        Base64Url.IsValid(base64Url) ? Encoding.UTF8.GetString(Base64Url.DecodeFromChars(base64Url)) : null;

    private bool Matches(string? candidate) =>
        candidate is not null && CryptographicOperations.FixedTimeEquals(_hash, SHA256.HashData(Encoding.UTF8.GetBytes(candidate)));
}
