namespace DonkeyWork.CodeSandbox.Client.Connection;

/// <summary>One of a server's addresses.</summary>
/// <param name="Base">Ends in a slash.</param>
/// <param name="Name">Scheme, host and port, for messages: a path or user info may hold what is not for logs.</param>
internal sealed record ServerAddress(Uri Base, string Name)
{
    public static ServerAddress Of(Uri address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https"))
            throw new ArgumentException($"'{address}' is not an absolute http or https address.", nameof(address));

        return new ServerAddress(
            // Without the final slash a relative path would replace the last segment of a path prefix.
            address.AbsolutePath.EndsWith('/') ? address : new UriBuilder(address) { Path = address.AbsolutePath + "/" }.Uri,
            address.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped));
    }
}

/// <summary>The addresses that serve the same, one of them at a time.</summary>
internal sealed class ServerAddresses
{
    private readonly ServerAddress[] _all;
    private volatile ServerAddress _current;

    public ServerAddresses(IReadOnlyList<Uri> addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        if (addresses.Count == 0)
            throw new ArgumentException("At least one address is needed.", nameof(addresses));
        _all = [.. addresses.Select(ServerAddress.Of)];
        _current = _all[0];
    }

    public int Count => _all.Length;

    /// <summary>The one that is used.</summary>
    public ServerAddress Current => _current;

    /// <summary>Goes on to the next, unless somebody else has left <paramref name="failed"/> already.</summary>
    public void Leave(ServerAddress failed) =>
        Interlocked.CompareExchange(ref _current, _all[(Array.IndexOf(_all, failed) + 1) % _all.Length], failed);
}
