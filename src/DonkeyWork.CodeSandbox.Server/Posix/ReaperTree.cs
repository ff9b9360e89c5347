using System.Buffers.Binary;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>
/// A tree below a <c>codesandbox-reaper</c> of its own, which adopts what daemonises, killed by the sweep of Native/sweep.c.
/// </summary>
internal sealed class ReaperTree : ProcessTree
{
    /// <summary><c>struct report</c> of Native/reaper.c: pid, value, errno.</summary>
    private const int ReportBytes = 12;
    private const int KilledStatus = Native.SIGKILL;

    /// <summary>A start takes milliseconds; longer, and a command has stopped the reaper.</summary>
    private static readonly TimeSpan StoppedInterval = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(5);

    private readonly ChildReaper _children;
    private int _helper;

    private ReaperTree(ChildReaper children) => _children = children;

    public static async Task<ReaperTree> StartAsync(
        ChildReaper children, ProcessSpawner spawner, string helperPath, ProcessStart start, OutputPipe output, OutputPipe error)
    {
        var tree = new ReaperTree(children);
        var reports = new OutputPipe();
        var wrapped = start with
        {
            Path = helperPath,
            Arguments = [helperPath, start.Path, start.Directory, .. start.Arguments],
            Directory = "",
        };
        try
        {
            tree._helper = spawner.Start(
                wrapped, output.WriteDescriptor, error.WriteDescriptor, reports.WriteDescriptor, -1, _ => { });
            reports.CloseWriter();
            using var timeout = new CancellationTokenSource(StartTimeout);
            await using var goOn = new Timer(_ => Native.Kill(tree._helper, Native.SIGCONT), null, StoppedInterval, StoppedInterval);
            // A reaper that ends without a report was killed by somebody before it could start anything.
            var (pid, step, errno) = await ReadReportAsync(reports, timeout.Token) ?? (-1, (int)SpawnStep.Clone, Native.EAGAIN);
            if (pid < 0)
                throw new StartFailedException((SpawnStep)step, errno);
            tree.Pid = pid;
        }
        catch (OperationCanceledException)
        {
            tree.Kill();
            await reports.DisposeAsync();
            throw new StartFailedException(SpawnStep.Clone, Native.EAGAIN);
        }
        catch
        {
            await reports.DisposeAsync();
            throw;
        }

        _ = tree.FollowAsync(reports);
        return tree;
    }

    public override void Kill() => _children.WithChildren(helpers =>
    {
        var helper = Array.IndexOf(helpers, _helper) >= 0 ? _helper : 0;
        if (Native.Sweep(helper, helpers, helpers.Length) != 0)
            throw new IOException("/proc cannot be read, so the processes of the command cannot be found.");
    });

    public override void Release()
    {
    }

    /// <summary>Owned by the tree: ends with the reaper, and a reaper that somebody killed counts as the command's end.</summary>
    private async Task FollowAsync(OutputPipe reports)
    {
        await using (reports)
        {
            var report = await ReadReportAsync(reports, CancellationToken.None);
            SetExited(report?.Value ?? KilledStatus);
        }
    }

    private static async Task<(int Pid, int Value, int Errno)?> ReadReportAsync(OutputPipe reports, CancellationToken cancellationToken)
    {
        var bytes = new byte[ReportBytes];
        for (var read = 0; read < ReportBytes;)
        {
            var count = await reports.ReadAsync(bytes.AsMemory(read), cancellationToken);
            if (count == 0)
                return null;
            read += count;
        }

        return (Int(bytes, 0), Int(bytes, 4), Int(bytes, 8));
    }

    private static int Int(byte[] bytes, int offset) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(offset));
}

/// <summary>Starts every command below a reaper. For PID 1 of a pid namespace only.</summary>
/// <param name="children">Makes and reaps the reapers.</param>
/// <param name="spawner">Starts them.</param>
/// <param name="helperPath">The path of <c>codesandbox-reaper</c>.</param>
internal sealed class ReaperTreeFactory(ChildReaper children, ProcessSpawner spawner, string helperPath) : IProcessTreeFactory
{
    public async Task<ProcessTree> StartAsync(ProcessStart start, OutputPipe output, OutputPipe error) =>
        await ReaperTree.StartAsync(children, spawner, helperPath, start, output, error);

    /// <summary>Only processes of this pid namespace can be meant: kill(2).</summary>
    public void KillAll() => _ = Native.Kill(-1, Native.SIGKILL);
}
