using System.Text;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;
using DonkeyWork.CodeSandbox.Testing;
using DonkeyWork.CodeSandbox.Testing.Clusters;
using Microsoft.AspNetCore.Http;
using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;

/// <summary>What a watch tells, and how it goes on where the server, or what is in between, ends it.</summary>
[Collection(ControlCollection.Name)]
public sealed class WatchTests(ControlNamespace control, ITestOutputHelper output) : IClassFixture<ControlNamespace>
{
    [Fact]
    public async Task First_all_there_is_then_every_change_in_order()
    {
        await CreateAsync("before", "order");
        await CreateAsync("other", "another");
        await using var watch = new WatchProbe<PodView>(control.Client.Pods, "app=order");
        (await watch.NextAsync()).ShouldBeOfType<ApiListed<PodView>>().Items.ShouldHaveSingleItem().Name.ShouldBe("before");

        await CreateAsync("after", "order");
        for (var step = 0; step < 20; step++) await control.Namespace.KubectlAsync("annotate", "pod", "after", "--overwrite", $"codesandbox.donkeywork.dev/step={step}");
        await control.Namespace.KubectlAsync("delete", "pod", "after", "--wait=false");

        (await watch.NextAsync()).ShouldBeOfType<ApiChanged<PodView>>().Item.Name.ShouldBe("after");
        for (var step = 0; step < 20; step++)
            (await watch.NextAsync()).ShouldBeOfType<ApiChanged<PodView>>().Item.Annotations["step"].ShouldBe($"{step}");
        // Its deletion may be announced before it is gone.
        (await watch.UntilAsync<ApiGone<PodView>>()).Item.Name.ShouldBe("after");
        watch.Seen.Skip(22).SkipLast(1).ShouldAllBe(told => ((ApiChanged<PodView>)told).Item.DeletionTimestamp != null);
    }

    [Fact]
    public async Task A_pod_that_the_selector_no_longer_matches_is_gone()
    {
        await CreateAsync("leaving", "leaving");
        await using var watch = new WatchProbe<PodView>(control.Client.Pods, "app=leaving");
        await watch.UntilAsync<ApiListed<PodView>>();
        await control.Namespace.KubectlAsync("label", "pod", "leaving", "--overwrite", "app=elsewhere");
        (await watch.NextAsync()).ShouldBeOfType<ApiGone<PodView>>().Item.Name.ShouldBe("leaving");
    }

    [Fact]
    public async Task A_watch_that_the_server_ends_goes_on_from_its_last_bookmark_untold()
    {
        await using var relay = await ApiRelay.StartAsync(control.Server);
        // Shortly before the end of a watch the server sends a bookmark.
        relay.Rewrite = path => relay.Requests.Count(IsWatch) == 1 ? Changed(path, "timeoutSeconds", "4") : path;
        using var client = control.Through(relay);
        await using var watch = new WatchProbe<PodView>(client.Client.Pods, "app=quiet");
        await watch.UntilAsync<ApiListed<PodView>>();
        await WatchesBeginAsync(1);
        await CreateAsync("noise", "noise");
        await WatchesBeginAsync(2);
        await CreateAsync("seen", "quiet");

        (await watch.NextAsync()).ShouldBeOfType<ApiChanged<PodView>>().Item.Name.ShouldBe("seen");
        var versions = relay.Requests.Where(IsWatch).Select(request => long.Parse(Parameter(request.PathAndQuery, "resourceVersion"), null)).ToList();
        // Nothing that matched has happened in between: only a bookmark can have told the newer one.
        versions[1].ShouldBeGreaterThan(versions[0]);
        relay.Requests.Count(request => !IsWatch(request)).ShouldBe(1);

        Task WatchesBeginAsync(int count) => Patience.UntilAsync(() => relay.Requests.Count(IsWatch) == count, () => $"It does not watch for the {count}. time.");
    }

    [Fact]
    public async Task A_connection_that_breaks_in_the_middle_of_a_line_loses_nothing_and_tells_nothing_twice()
    {
        await using var relay = await ApiRelay.StartAsync(control.Server);
        relay.PassOn = CutFirstWatchInTheMiddleAsync();
        using var client = control.Through(relay);
        await using var watch = new WatchProbe<PodView>(client.Client.Pods, "app=cut");
        await watch.UntilAsync<ApiListed<PodView>>();
        var names = Enumerable.Range(0, 10).Select(number => $"cut-{number}").ToList();
        foreach (var name in names) await CreateAsync(name, "cut");

        foreach (var name in names) (await watch.NextAsync()).ShouldBeOfType<ApiChanged<PodView>>().Item.Name.ShouldBe(name);
        relay.Requests.Count(IsWatch).ShouldBe(2);
        relay.Requests.Count(request => !IsWatch(request)).ShouldBe(1);
    }

    [Fact]
    public async Task However_often_the_connection_breaks_each_change_is_told_once_and_in_order()
    {
        const int Steps = 40;
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var relay = await ApiRelay.StartAsync(control.Server);
        relay.PassOn = (context, _) =>
        {
            // Never the first piece of a watch: each gets somewhere.
            if (!context.Request.QueryString.Value!.Contains("watch=true", StringComparison.Ordinal) || context.Items.TryAdd("begun", true)) return Task.FromResult(true);
            lock (random) return Task.FromResult(random.Next(4) > 0);
        };
        using var client = control.Through(relay);
        string[] names = ["a", "b", "c", "d"];
        foreach (var name in names) await CreateAsync(name, "storm");
        await using var watch = new WatchProbe<PodView>(client.Client.Pods, "app=storm");
        await watch.UntilAsync<ApiListed<PodView>>();
        for (var step = 0; step < Steps; step++)
        {
            var patch = new JsonPatch().Add($"/metadata/annotations/{JsonPatch.Escape("codesandbox.donkeywork.dev/step")}", $"{step}");
            await Task.WhenAll(names.Select(name => control.Client.Pods.PatchAsync(name, patch, default)));
            await watch.UntilAsync(view => view.Values.All(pod => pod.Annotations.GetValueOrDefault("step") == $"{step}"));
        }

        ShouldBeWhole(watch.Seen);
        relay.Requests.Count(IsWatch).ShouldBeGreaterThan(2, "nothing has broken");
    }

    [Fact]
    public async Task Where_every_watch_ends_before_it_has_told_anything_the_view_gets_right_all_the_same()
    {
        await using var relay = await ApiRelay.StartAsync(control.Server);
        // An answer, and nothing in it.
        relay.Intercept = context => Task.FromResult(context.Request.QueryString.Value!.Contains("watch=true", StringComparison.Ordinal));
        using var client = control.Through(relay);
        await using var watch = new WatchProbe<PodView>(client.Client.Pods, "app=broken");
        await watch.UntilAsync<ApiListed<PodView>>();

        await CreateAsync("unheard", "broken");

        await watch.UntilAsync(view => view.ContainsKey("unheard"));
        watch.Seen.ShouldAllBe(told => told is ApiListed<PodView>);
    }

    [Fact]
    public async Task Whoever_stops_watching_is_let_go_at_once_even_while_the_server_is_away()
    {
        using var nobody = control.At("http://127.0.0.1:9");
        var watch = new WatchProbe<PodView>(nobody.Client.Pods);
        var lost = (await watch.NextAsync()).ShouldBeOfType<ApiLost<PodView>>();
        lost.Reason.ShouldContain("cannot be reached");
        await watch.DisposeAsync();
        watch.Seen.ShouldHaveSingleItem();
    }

    // Each change is the one after the last that was told or listed; what was lost is listed again, and never older.
    private static void ShouldBeWhole(IEnumerable<ApiObservation<PodView>> seen)
    {
        var steps = new Dictionary<string, int>();
        var lost = false;
        foreach (var told in seen)
        {
            if (told is ApiChanged<PodView> changed)
            {
                lost.ShouldBeFalse();
                StepOf(changed.Item).ShouldBe(steps[changed.Item.Name] + 1, changed.Item.Name);
                steps[changed.Item.Name]++;
            }
            else if (told is ApiListed<PodView> listed)
            {
                foreach (var pod in listed.Items)
                {
                    StepOf(pod).ShouldBeGreaterThanOrEqualTo(steps.GetValueOrDefault(pod.Name, -1));
                    steps[pod.Name] = StepOf(pod);
                }
            }

            lost = told is ApiLost<PodView>;
        }

        static int StepOf(PodView pod) => int.Parse(pod.Annotations.GetValueOrDefault("step", "-1"), null);
    }

    internal static bool IsWatch(RelayedRequest request) => request.PathAndQuery.Contains("watch=true", StringComparison.Ordinal);

    private static Func<HttpContext, ReadOnlyMemory<byte>, Task<bool>> CutFirstWatchInTheMiddleAsync()
    {
        var lines = 0;
        var cut = false;
        return async (context, piece) =>
        {
            if (cut || !context.Request.QueryString.Value!.Contains("watch=true", StringComparison.Ordinal)) return true;
            lines += Encoding.UTF8.GetString(piece.Span).Count(character => character == '\n');
            if (lines < 4) return true;
            cut = true;
            await context.Response.BodyWriter.WriteAsync(piece[..(piece.Length / 2)]);
            await context.Response.BodyWriter.FlushAsync();
            return false;
        };
    }

    internal static string Changed(string path, string name, string value) => path.Replace($"{name}={Parameter(path, name)}", $"{name}={value}", StringComparison.Ordinal);

    private static string Parameter(string path, string name) =>
        System.Web.HttpUtility.ParseQueryString(path[(path.IndexOf('?', StringComparison.Ordinal) + 1)..])[name] ?? "?";

    private Task<PodView> CreateAsync(string name, string app) => control.Client.Pods.CreateAsync(Manifests.Pod(name, app), Manifests.Type, default);
}
