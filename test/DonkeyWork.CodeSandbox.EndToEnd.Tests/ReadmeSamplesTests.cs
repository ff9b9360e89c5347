using System.Diagnostics;
using ReadmeSamples;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>Every C# block of the READMEs, as it stands there, against the published programs.</summary>
[Collection(SharedManagerCollection.Name)]
public sealed class ReadmeSamplesTests(SharedManager shared)
{
    public static TheoryData<string> Samples => [.. All.Select(sample => sample.ToString())];

    private static IEnumerable<ReadmeSample> All => RootReadme.All.Concat(ClientReadme.All);

    [Theory]
    [MemberData(nameof(Samples))]
    public async Task A_sample_prints_what_its_README_says(string name)
    {
        var sample = All.Single(sample => sample.ToString() == name);
        // Of 127.128.0.0/9, where nobody else is: a port of 127.0.0.1 that is free now may be a connection's in a moment.
        var executor = new Uri($"http://127.{Random.Shared.Next(128, 256)}.{Random.Shared.Next(256)}.{Random.Shared.Next(1, 255)}:8666");
        // An executor without a Manager: first process of a pid namespace, as in a container.
        using var process = Process.Start(new ProcessStartInfo(
            "unshare", ["--pid", "--fork", "--kill-child", "--mount-proc", Repository.Executor, "--listen", $"tcp:{executor.Authority}"]))!;
        try
        {
            await Patience.UntilAsync(() => Answers(executor), () => "The executor does not answer.");

            var printed = await sample.RunAsync(documented => (documented switch
            {
                "http://127.0.0.1:8668" => shared.Manager.Url,
                "http://127.0.0.1:8666" => executor,
                _ => throw new InvalidOperationException(documented),
            }).ToString());

            sample.Promises(printed).ShouldBeTrue($"{sample} printed:\n{printed}");
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    private static bool Answers(Uri executor)
    {
        using var http = new HttpClient();
        try
        {
            using var response = http.Send(new HttpRequestMessage(HttpMethod.Get, new Uri(executor, "/healthz")));
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
