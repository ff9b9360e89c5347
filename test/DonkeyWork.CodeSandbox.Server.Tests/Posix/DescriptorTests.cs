using System.Diagnostics;
using System.Security.Cryptography;
using DonkeyWork.CodeSandbox.Server.Posix;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Posix;

/// <summary>Pipes of ours whose other end a real program opens through /proc.</summary>
public sealed class DescriptorTests
{
    private static readonly CancellationToken Cancelled = new(canceled: true);

    [Fact]
    public async Task What_a_program_prints_is_read_to_its_end()
    {
        using var channels = ProcessChannels.Pipes(input: false);
        using var program = Start($"head -c 1000000 /dev/zero | tee >(sha256sum >&2) >{PathOf(channels.ChildOutput)}");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[7001];
        long total = 0;
        while (total < 1_000_000)
        {
            var count = await channels.Output.ReadAsync(buffer, default).AsTask().WaitAsync(Published.Patience);
            count.ShouldBeGreaterThan(0);
            total += count;
            hash.AppendData(buffer, 0, count);
        }

        channels.CloseChildEnds();
        (await channels.Output.ReadAsync(buffer, default).AsTask().WaitAsync(Published.Patience)).ShouldBe(0);
        (await program.StandardError.ReadToEndAsync()).ShouldStartWith(Convert.ToHexStringLower(hash.GetCurrentHash()));
    }

    [Fact]
    public async Task A_cancelled_read_gets_what_is_there_and_takes_nothing_else()
    {
        using var channels = ProcessChannels.Pipes(input: false);
        await Should.ThrowAsync<OperationCanceledException>(async () => await channels.Output.ReadAsync(new byte[9], Cancelled));
        using var later = new CancellationTokenSource();
        var waiting = channels.Output.ReadAsync(new byte[9], later.Token).AsTask();
        await later.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(waiting);

        Published.Succeed("bash", "-c", $"printf abc >{PathOf(channels.ChildOutput)}");

        channels.Output.Available.ShouldBe(3);
        (await channels.Output.ReadAsync(new byte[9], Cancelled)).ShouldBe(3);
        await Should.ThrowAsync<OperationCanceledException>(async () => await channels.Output.ReadAsync(new byte[9], Cancelled));
    }

    [Fact]
    public async Task Cancelled_writes_say_exactly_what_went_in()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        using var channels = ProcessChannels.Pipes(input: true);
        // It reads in fits and starts, so that writers wait.
        using var program = Start($"exec <{PathOf(channels.ChildInput)}; echo ready; for i in {{1..60}}; do dd bs=64k count=1 status=none; sleep 0.01; done; cat");
        using var arrived = new MemoryStream();
        var line = new byte[6];
        await program.StandardOutput.BaseStream.ReadExactlyAsync(line);
        var reading = program.StandardOutput.BaseStream.CopyToAsync(arrived);
        channels.CloseChildEnds();

        var sent = new byte[4_000_000];
        random.NextBytes(sent);
        var offset = 0;
        var cancellations = 0;
        while (offset < sent.Length)
        {
            using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(random.Next(0, 4)));
            try
            {
                var count = await channels.Input!.WriteAsync(sent.AsMemory(offset, random.Next(1, Math.Min(200_000, sent.Length - offset + 1))), cancel.Token);
                count.ShouldBeGreaterThan(0, $"seed {seed}");
                offset += count;
            }
            catch (OperationCanceledException)
            {
                cancellations++;
            }
        }

        channels.Input!.Dispose();
        await reading.WaitAsync(Published.Patience);
        cancellations.ShouldBeGreaterThan(0, $"nothing was cancelled; seed {seed}");
        arrived.ToArray().AsSpan().SequenceEqual(sent).ShouldBeTrue($"seed {seed}");
    }

    [Fact]
    public async Task Writing_to_nobody_fails_at_once_and_while_it_waits()
    {
        using var nobody = ProcessChannels.Pipes(input: true);
        nobody.CloseChildEnds();
        await Should.ThrowAsync<BrokenPipeException>(async () => await nobody.Input!.WriteAsync(new byte[1], default));

        using var full = ProcessChannels.Pipes(input: true);
        await full.Input!.WriteAsync(new byte[1 << 20], default);
        var waiting = full.Input.WriteAsync(new byte[1], default).AsTask();
        waiting.IsCompleted.ShouldBeFalse();
        full.CloseChildEnds();
        await Should.ThrowAsync<BrokenPipeException>(waiting.WaitAsync(Published.Patience));
    }

    [Fact]
    public async Task Closing_ends_who_waits()
    {
        var channels = ProcessChannels.Pipes(input: true);
        await channels.Input!.WriteAsync(new byte[1 << 20], default);
        var writing = channels.Input.WriteAsync(new byte[1], default).AsTask();
        var reading = channels.Output.ReadAsync(new byte[1], default).AsTask();

        channels.Dispose();

        await Should.ThrowAsync<ObjectDisposedException>(writing.WaitAsync(Published.Patience));
        await Should.ThrowAsync<ObjectDisposedException>(reading.WaitAsync(Published.Patience));
        channels.Dispose();
    }

    [Fact]
    public async Task Hundreds_that_wait_take_no_thread_and_closed_leave_no_descriptor()
    {
        using (var warmUp = ProcessChannels.Pipes(input: true))
            await Should.ThrowAsync<OperationCanceledException>(async () => await warmUp.Output.ReadAsync(new byte[1], Cancelled));
        var descriptors = HostProcess.CountDescriptors(Environment.ProcessId);
        var threads = ThreadsNamed("readiness");
        var all = Enumerable.Range(0, 150).Select(i => i % 3 == 0 ? ProcessChannels.Terminal(80, 24) : ProcessChannels.Pipes(input: true)).ToList();
        var reads = all.Select(channels => channels.Output.ReadAsync(new byte[1], default).AsTask()).ToList();

        reads.ShouldAllBe(read => !read.IsCompleted);
        ThreadsNamed("readiness").ShouldBe(threads);
        threads.ShouldBe(1);
        ThreadPool.PendingWorkItemCount.ShouldBeLessThan(150);

        all.ForEach(channels => channels.Dispose());
        foreach (var read in reads)
            await Should.ThrowAsync<ObjectDisposedException>(read.WaitAsync(Published.Patience));
        await Published.EventuallyAsync(() => HostProcess.CountDescriptors(Environment.ProcessId) <= descriptors, "descriptors are left");
    }

    private static int ThreadsNamed(string name) => Directory.GetDirectories("/proc/self/task").Count(task =>
    {
        try
        {
            return File.ReadAllText($"{task}/comm").Trim() == name;
        }
        catch (IOException)
        {
            // It has ended since: threads of the pool come and go.
            return false;
        }
    });

    private static string PathOf(int descriptor) => $"/proc/{Environment.ProcessId}/fd/{descriptor}";

    private static Process Start(string script) => Process.Start(new ProcessStartInfo("bash", ["-c", script])
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}
