using System.Security.Cryptography;
using DonkeyWork.CodeSandbox.Client;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>Large amounts of random bytes go through as they are, in little memory.</summary>
public abstract class TransferContract(TestService service) : IDisposable
{
    private const int ExecutorLimitKilobytes = 64 * 1024;
    private const long CutBytes = 100L << 20;
    // Not a multiple of anything.
    private const long CutAfter = 7_654_321;
    private static readonly TimeSpan Stop = TimeSpan.FromSeconds(30);

    private readonly string _file = Path.Combine(Path.GetTempPath(), $"codesandbox-transfer-{Guid.NewGuid():N}");

    /// <summary>How many.</summary>
    protected abstract long Bytes { get; }

    /// <summary>What an execution has to keep to survive cuts in full flow, where that is more than the default.</summary>
    protected virtual long? Keep => null;

    public void Dispose()
    {
        File.Delete(_file);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task They_go_in_and_out_as_files()
    {
        await using var sandbox = await service.CreateAsync();
        var expected = await OnHostAsync($"head -c {Bytes} /dev/urandom | tee {_file} | sha256sum");

        await OnHostAsync($"curl -sSf -T {_file} '{sandbox.Address}files?path=data'");
        (await sandbox.OutputOfAsync("sha256sum <data")).ShouldBe(expected);
        (await OnHostAsync($"curl -sSf '{sandbox.Address}files?path=data' | sha256sum")).ShouldBe(expected);

        sandbox.Executor.MostResidentKilobytes.ShouldBeLessThan(ExecutorLimitKilobytes);
    }

    [Fact]
    public async Task They_come_through_standard_output_and_a_reader_that_stops_for_30_seconds_is_told_exactly_what_it_has_missed()
    {
        await using var sandbox = await service.CreateAsync();
        var expected = await sandbox.OutputOfAsync($"head -c {Bytes} /dev/urandom | tee data | sha256sum");
        // The stopped reader is behind by more than is kept: it must not hold this one.
        var execution = await RawExecution.StartWaitingAsync(sandbox.Http, sandbox.Name, "until [ -e go ]; do sleep 0.05; done; exec cat data");
        using var stops = new CancellationTokenSource(Stop);
        var stopped = new HashedReader();
        var going = new HashedReader();
        var stoppedReading = stopped.ReadAsync(execution, atLeast: 1 << 20, () => UntilAsync(stops.Token));
        var goingReading = going.ReadAsync(execution);
        await sandbox.OutputOfAsync("touch go");
        await Task.WhenAll(stoppedReading, goingReading);

        going.Segments.ShouldBe([new HashedSegment(0, Bytes, expected[..64])]);
        stopped.Exited.GetProperty("stdoutBytes").GetInt64().ShouldBe(Bytes);
        stopped.Truncated.ShouldBeGreaterThan(0);
        (stopped.Segments.Sum(segment => segment.Bytes) + stopped.Truncated).ShouldBe(Bytes);
        foreach (var (from, bytes, hash) in stopped.Segments)
            (await sandbox.OutputOfAsync($"tail -c +{from + 1} data | head -c {bytes} | sha256sum"))[..64].ShouldBe(hash, $"{bytes} bytes from {from} on");
        sandbox.Executor.MostResidentKilobytes.ShouldBeLessThan(ExecutorLimitKilobytes);
    }

    [Fact]
    public async Task They_come_through_standard_output_whole_though_every_connection_is_cut_in_full_flow()
    {
        await using var sandbox = await service.CreateAsync();
        await using var client = new CodeSandboxClient([.. service.Ways.Select(way => way.Address)]);
        var expected = await sandbox.OutputOfAsync($"head -c {CutBytes} /dev/urandom | tee data | sha256sum");
        foreach (var way in service.Ways) way.CutAfterBytes = CutAfter;
        try
        {
            await using var execution = await client.Attach(sandbox.Name).StartAsync(["cat", "data"], new StartOptions { Overflow = OverflowPolicy.Wait, KeepOutputBytes = Keep });
            // Truncated would be an exception.
            Convert.ToHexStringLower(await SHA256.HashDataAsync(execution.StandardOutput)).ShouldBe(expected[..64]);
        }
        finally
        {
            foreach (var way in service.Ways) way.CutAfterBytes = null;
        }

        service.Ways.Sum(way => way.Cuts).ShouldBeGreaterThan((int)(CutBytes / CutAfter) - 1);
    }

    private static Task<string> OnHostAsync(string script) => Tool.OutputOfAsync("/bin/bash", ["-o", "pipefail", "-ec", script]);

    private static async Task UntilAsync(CancellationToken over)
    {
        var source = new TaskCompletionSource();
        await using var registered = over.Register(source.SetResult);
        await source.Task;
    }
}
