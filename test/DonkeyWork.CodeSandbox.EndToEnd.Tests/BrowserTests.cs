using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>A real browser, on a page that is not ours, tries to reach the Manager of the person who opened it.</summary>
[Collection(SharedManagerCollection.Name)]
public sealed class BrowserTests(SharedManager shared)
{
    [Fact]
    public async Task A_page_of_another_site_can_neither_read_nor_create_nor_open_a_WebSocket()
    {
        var seen = await Open(shared.Manager.Url.Host, AttackPage(shared.Manager.Url));

        seen.ShouldContain("[read refused]");
        seen.ShouldContain("[simple-post sent]");
        seen.ShouldContain("[json-post refused]");
        seen.ShouldContain("[websocket refused]");
        // The browser does send a "simple" POST; that nothing came of it is for the Manager to see to.
        (await shared.Manager.Http.GetStringAsync("/api/kata")).ShouldBe("[]");
    }

    [Fact]
    public async Task A_name_that_was_rebound_to_this_machine_is_refused()
    {
        // The page's own origin is the Manager's port under a name that resolves to loopback: same-origin for the browser.
        var seen = await Chromium(
            $"--host-resolver-rules=MAP rebound.example 127.0.0.1",
            $"http://rebound.example:{shared.Manager.Url.Port}/api/kata");

        seen.ShouldContain("host_not_allowed");
        // The control: by its own name the same page is there.
        (await Chromium(new Uri(shared.Manager.Url, "/api/kata").ToString())).ShouldContain("[]");
    }

    [Fact]
    public async Task The_API_reference_is_shown_from_our_own_files()
    {
        var seen = await Chromium(
            // The page builds itself after it was loaded: time that its timers see, which passes at once.
            "--virtual-time-budget=20000", new Uri(shared.Manager.Url, "/scalar/v1").ToString());
        seen.ShouldContain("/api/kata");
        seen.ShouldContain("execute");
    }

    private static string AttackPage(Uri manager) => $$"""
        <!doctype html><body><script>
        const say = text => document.body.append('[' + text + ']');
        const attempt = async (name, run) => { try { await run(); say(name + ' sent'); } catch { say(name + ' refused'); } };
        (async () => {
          await attempt('read', async () => (await fetch('{{manager}}api/kata')).text());
          await attempt('simple-post', () => fetch('{{manager}}api/kata', { method: 'POST', mode: 'no-cors', body: '{}' }));
          await attempt('json-post', () => fetch('{{manager}}api/kata', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' }));
          await attempt('websocket', () => new Promise((opened, failed) => {
            const socket = new WebSocket('ws://{{manager.Authority}}/api/kata/kata-sandbox-00000000/terminal');
            socket.onopen = opened; socket.onerror = failed;
          }));
          await fetch('/done');
        })();
        </script><img src="/until-done"></body>
        """;

    /// <summary>
    /// Serves the page on another port, which is another origin, and shows what the browser made of it. The page is loaded,
    /// and so shown, once it has asked for <c>/done</c>: until then its picture is on its way.
    /// </summary>
    private static async Task<string> Open(string host, string page)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // Without watching settings, which takes one of the inotify instances that a user's processes share.
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false", $"--urls=http://{host}:0"]);
        builder.Logging.ClearProviders();
        await using var site = builder.Build();
        site.MapGet("/", () => Results.Content(page, "text/html"));
        site.MapGet("/done", () => { done.TrySetResult(); });
        site.MapGet("/until-done", () => done.Task);
        await site.StartAsync();
        return await Chromium(site.Urls.Single());
    }

    private static async Task<string> Chromium(params string[] arguments)
    {
        var profile = Directory.CreateTempSubdirectory("codesandbox-browser-");
        try
        {
            var browser = await Tool.RunAsync(
                "chromium",
                [
                    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                    "--disable-component-update", "--disable-sync", $"--user-data-dir={profile.FullName}",
                    "--dump-dom", .. arguments,
                ]);
            browser.ExitCode.ShouldBe(0, browser.Error);
            return Regex.Replace(browser.Output, "<script>.*?</script>", "", RegexOptions.Singleline);
        }
        finally
        {
            profile.Delete(recursive: true);
        }
    }
}
