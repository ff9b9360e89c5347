using System.Net;
using System.Text.RegularExpressions;

namespace DonkeyWork.CodeSandbox.Manager.Tests;

/// <summary>The API reference comes from our own files, or says how to get them.</summary>
public sealed class ScalarTests : IAsyncLifetime
{
    private TestManager _manager = null!;

    public async Task InitializeAsync() => _manager = await TestManager.StartAsync();

    public async Task DisposeAsync() => await _manager.DisposeAsync();

    [Fact]
    public async Task The_page_loads_nothing_of_another_origin_and_may_not()
    {
        using var response = await _manager.Http.GetAsync("/scalar/v1");
        var page = await response.Content.ReadAsStringAsync();

        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/html");
        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        policy.ShouldStartWith("default-src 'self'; script-src 'self';");
        policy.ShouldNotContain("http");
        policy.ShouldNotContain("*");
        response.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        // Else browsers ask for /favicon.ico.
        page.ShouldContain("<link rel=\"icon\" href=\"data:,\">");
        Regex.IsMatch(page, "(src|href)=\"(https?:)?//").ShouldBeFalse();
        foreach (Match script in Regex.Matches(page, "src=\"([^\"]+)\""))
        {
            using var loaded = await _manager.Http.GetAsync(script.Groups[1].Value);
            loaded.StatusCode.ShouldBe(HttpStatusCode.OK);
            loaded.Content.Headers.ContentType!.MediaType.ShouldBe("text/javascript");
        }
    }

    [Fact]
    public async Task Where_the_bundle_is_missing_the_page_says_how_to_get_it()
    {
        using var response = await _manager.Http.GetAsync("/scalar/v1");
        var page = await response.Content.ReadAsStringAsync();
        var isThere = File.Exists(Path.Combine(AppContext.BaseDirectory, "wwwroot", "scalar", "standalone.js"));
        if (isThere) page.ShouldContain("/scalar/standalone.js");
        else page.ShouldContain("build/fetch-scalar.sh");
    }

    [Theory]
    [InlineData("/scalar/package.json")]
    [InlineData("/scalar/..%2f..%2fappsettings.json")]
    [InlineData("/scalar/../appsettings.json")]
    public async Task Nothing_else_of_the_folder_is_served(string path) =>
        RawHttp.StatusOf(await RawHttp.AskAsync(_manager.Url, $"GET {path} HTTP/1.1", "Host: localhost")).ShouldBe(404);
}
