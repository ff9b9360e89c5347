using System.Net;
using System.Security.Cryptography;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Executions;

public sealed class VolumeTests
{
    private const long OneGibibyte = 1L << 30;

    [Fact]
    public async Task A_gibibyte_arrives_whole_while_a_second_reader_stalls_and_the_executor_stays_small()
    {
        await using var container = await ExecutorContainer.StartAsync(KillMode.Cgroup);
        var api = container.Api;
        using var first = await api.PostStartAsync(
            new StartExecutionRequest { Id = "volume", Command = $"head -c {OneGibibyte} /dev/urandom | tee >(sha256sum >/tmp/sum)" },
            ExecutionsApi.MediaType(Framing.Frames));
        first.StatusCode.ShouldBe(HttpStatusCode.Created);
        await using var stalled = api.EventsAsync("volume", Framing.Frames).GetAsyncEnumerator();
        (await stalled.MoveNextAsync()).ShouldBeTrue();

        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ExecutionState? exited = null;
        await foreach (var item in ExecutionsApi.ReadAsync(first, Framing.Frames, 0))
        {
            item.Truncated.ShouldBe(0);
            sum.AppendData(item.Bytes);
            exited = item.Exited ?? exited;
        }

        exited.ShouldNotBeNull().StdoutBytes.ShouldBe(OneGibibyte);
        (await api.RunAsync("until [ -s /tmp/sum ]; do sleep 0.05; done; cat /tmp/sum")).Stdout.ShouldStartWith(Convert.ToHexStringLower(sum.GetHashAndReset()));
        long received = 0, truncated = 0;
        var gaps = 0;
        while (await stalled.MoveNextAsync())
        {
            received += stalled.Current.Bytes.Length;
            truncated += stalled.Current.Truncated;
            gaps += stalled.Current.Truncated > 0 ? 1 : 0;
        }

        gaps.ShouldBe(1);
        (received + truncated).ShouldBe(OneGibibyte);
        LeftoverTests.PeakMi(container).ShouldBeLessThan(64);
    }
}
