using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;
using DonkeyWork.CodeSandbox.Testing.Clusters;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;

/// <summary>5,000 pods.</summary>
[Collection(ControlCollection.Name)]
public sealed class ManyPodsTests(ControlNamespace control) : IClassFixture<ControlNamespace>
{
    private const int Many = 5000;

    [Fact]
    public async Task Five_thousand_pods_are_listed_in_pages_and_watched_from_the_first_to_the_last()
    {
        await using var watch = new WatchProbe<PodView>(control.Client.Pods);
        (await watch.UntilAsync<ApiListed<PodView>>()).Items.ShouldBeEmpty();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Many), new ParallelOptions { MaxDegreeOfParallelism = 32 },
            async (number, stop) => await control.Client.Pods.CreateAsync(Manifests.Pod($"pod-{number}", $"app-{number % 7}"), Manifests.Type, stop));
        await watch.UntilAsync(view => view.Count == Many);

        await using var relay = await ApiRelay.StartAsync(control.Server);
        using var client = control.Through(relay);
        var pods = await client.Client.Pods.ListAsync(null, default);
        pods.Select(pod => pod.Name).ToHashSet().ShouldBe(Enumerable.Range(0, Many).Select(number => $"pod-{number}"), ignoreOrder: true);
        pods.Count.ShouldBe(Many);
        relay.Requests.Count.ShouldBe(Many / 500);
        relay.Requests.Skip(1).ShouldAllBe(request => request.PathAndQuery.Contains("&continue=", StringComparison.Ordinal));
        (await client.Client.Pods.ListAsync("app=app-3", default)).Count.ShouldBe(Enumerable.Range(0, Many).Count(number => number % 7 == 3));
        var versions = pods.ToDictionary(pod => pod.Name, pod => pod.ResourceVersion);
        watch.View.Values.ShouldAllBe(pod => versions[pod.Name] == pod.ResourceVersion);

        // The moment that the first page showed is forgotten before the second is asked for.
        var before = relay.Requests.Count;
        relay.Intercept = async context =>
        {
            if (!context.Request.Query.ContainsKey("continue")) return false;
            context.Response.StatusCode = StatusCodes.Status410Gone;
            await context.Response.WriteAsync("""{"kind":"Status","status":"Failure","reason":"Expired","code":410,"message":"The provided continue parameter is too old"}""");
            return true;
        };
        (await client.Client.Pods.ListAsync(null, default)).Select(pod => pod.Uid).Distinct().Count().ShouldBe(Many);
        (relay.Requests.Count - before).ShouldBe(3);

        // One by one: for all of them in one request an API server on a slow disk has too little time.
        await Parallel.ForEachAsync(
            pods, new ParallelOptions { MaxDegreeOfParallelism = 32 },
            async (pod, stop) => await control.Client.Pods.DeleteAsync(pod.Name, new DeletePreconditions { GracePeriodSeconds = 0 }, stop));
        await watch.UntilAsync(view => view.Count == 0);
        watch.Seen.ShouldAllBe(told => !(told is ApiLost<PodView>));
    }
}
