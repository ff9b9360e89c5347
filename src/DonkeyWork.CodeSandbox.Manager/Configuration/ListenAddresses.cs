using System.Net;

namespace DonkeyWork.CodeSandbox.Manager.Configuration;

/// <summary>Where the Manager is told to listen, and whether the world could reach it there.</summary>
internal static class ListenAddresses
{
    /// <summary>Where the Manager listens when nobody says otherwise.</summary>
    public const string Default = "http://127.0.0.1:8668";

    /// <summary>Every address that the configuration names, with the key it stands under.</summary>
    public static IReadOnlyList<(string Key, string Url)> Read(IConfiguration configuration)
    {
        var endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren()
            .Select(endpoint => endpoint.GetSection("Url"))
            .Where(url => url.Value is not null)
            .Select(url => (url.Path, url.Value!));
        // Kestrel prefers its own endpoints over urls, and urls over ports; but what is unsafe there is unsafe to leave there.
        return [.. endpoints, .. Split(configuration, "urls", url => url), .. Split(configuration, "http_ports", port => $"http://*:{port}"), .. Split(configuration, "https_ports", port => $"https://*:{port}")];
    }

    /// <summary>Whether it is an address at all, <c>*</c> and <c>+</c> as host included.</summary>
    public static bool IsUrl(string url) =>
        url.Contains("://unix:/", StringComparison.OrdinalIgnoreCase) || (Parse(url) is { } uri && uri.Scheme is "http" or "https");

    /// <summary>Whether only this machine can reach the address. Kestrel takes any name it cannot place for "all addresses".</summary>
    public static bool IsLoopback(string url)
    {
        if (Parse(url) is not { } uri) return false;
        return uri.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || url.Contains("://unix:/", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
    }

    private static Uri? Parse(string url) => Uri.TryCreate(
        url.Replace("://*", "://any.invalid", StringComparison.Ordinal).Replace("://+", "://any.invalid", StringComparison.Ordinal), UriKind.Absolute, out var uri) ? uri : null;

    /// <summary>Where a program of this machine asks: http before https, a loopback address for "all addresses".</summary>
    public static Uri FromHere(IEnumerable<string> urls)
    {
        var url = urls.OrderBy(url => url.StartsWith("https:", StringComparison.OrdinalIgnoreCase)).First();
        var here = new UriBuilder(url.Replace("://*", "://127.0.0.1", StringComparison.Ordinal).Replace("://+", "://127.0.0.1", StringComparison.Ordinal));
        if (here.Host == "0.0.0.0") here.Host = "127.0.0.1";
        if (here.Host == "[::]") here.Host = "[::1]";
        return here.Uri;
    }

    private static IEnumerable<(string, string)> Split(IConfiguration configuration, string key, Func<string, string> url) =>
        (configuration[key] ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(part => (key, url(part)));
}
