using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>
/// A tree below a <c>codesandbox-reaper</c> of its own, which adopts what daemonises, killed by the sweep of Native/sweep.c.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Its socket is closed at its end, by FollowAsync.")]
internal sealed class ReaperTree : ProcessTree
{
    /// <summary><c>struct report</c> of Native/reaper.c: pid, value, errno, nothing, CPU microseconds, peak bytes.</summary>
    private const int ReportBytes = 32;
    private const int KilledStatus = Native.SIGKILL;

    /// <summary><c>CS_NOTHING_LEFT</c>: the exit code of a reaper that has seen the last of its command's processes end.</summary>
    private const int NothingLeft = 0;

    /// <summary>A start takes milliseconds; longer, and a command has stopped the reaper.</summary>
    private static readonly TimeSpan StoppedInterval = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(5);

    private readonly ChildReaper _children;

    /// <summary>The reaper's socket: reports come from it, the numbers of signals go to it.</summary>
    private readonly SafeFileHandle _socket;
    private readonly DescriptorReader _reports;
    private int _helper;
    private volatile bool _helperIsGone;
    private volatile bool _nothingIsLeft;

    private ReaperTree(ChildReaper children, SafeFileHandle socket)
    {
        _children = children;
        _socket = socket;
        _reports = new DescriptorReader(socket);
    }

    public static async Task<ReaperTree> StartAsync(
        ChildReaper children, ProcessSpawner spawner, string helperPath, ProcessStart start, ProcessChannels channels)
    {
        var (ours, childs) = DescriptorPair.Sockets();
        var tree = new ReaperTree(children, ours);
        var wrapped = start with
        {
            Path = helperPath,
            Arguments = [helperPath, start.Path, start.Directory, .. start.Arguments],
            Directory = "",
        };
        try
        {
            using (childs)
                tree._helper = spawner.Start(wrapped, channels, (int)childs.DangerousGetHandle(), -1, takesTerminal: false, tree.NoteHelpersEnd);
            using var timeout = new CancellationTokenSource(StartTimeout);
            await using var goOn = new Timer(_ => Native.Kill(tree._helper, Native.SIGCONT), null, StoppedInterval, StoppedInterval);
            // A reaper that ends without a report was killed by somebody before it could start anything.
            var report = await tree.ReadReportAsync(timeout.Token) ?? new Report(-1, (int)SpawnStep.Clone, Native.EAGAIN, default);
            if (report.Pid < 0)
                throw new StartFailedException((SpawnStep)report.Value, report.Errno);
            tree.Pid = report.Pid;
        }
        catch (OperationCanceledException)
        {
            using (tree._reports)
                tree.Kill();
            throw new StartFailedException(SpawnStep.Clone, Native.EAGAIN);
        }
        catch
        {
            tree._reports.Dispose();
            throw;
        }

        _ = tree.FollowAsync();
        return tree;
    }

    /// <summary>The reaper does it, or nothing: the executor cannot know whether the pid is still the command's.</summary>
    public override bool Signal(int signal)
    {
        try
        {
            return !Exited.IsCompleted && Native.Write(_socket, [(byte)signal], 1) == 1;
        }
        catch (ObjectDisposedException)
        {
            // It ended meanwhile.
            return false;
        }
    }

    public override void Kill() => _children.WithChildren(helpers =>
    {
        if (_nothingIsLeft)
            return;
        // An execution may be deleted long after its end, when the pid is another's.
        var helper = !_helperIsGone && Array.IndexOf(helpers, _helper) >= 0 ? _helper : 0;
        if (Native.Sweep(helper, helpers, helpers.Length) != 0)
            throw new IOException("The processes of the command cannot be found in /proc, or do not die.");
    });

    public override void Release()
    {
    }

    private void NoteHelpersEnd(ProcessEnd end)
    {
        _nothingIsLeft = !end.Status.IsSignal && end.Status.ExitCode == NothingLeft;
        _helperIsGone = true;
    }

    /// <summary>Owned by the tree: ends with the reaper, and a reaper that somebody killed counts as the command's end.</summary>
    private async Task FollowAsync()
    {
        using (_reports)
        {
            var end = new ProcessEnd(new WaitStatus(KilledStatus));
            try
            {
                if (await ReadReportAsync(CancellationToken.None) is { } report)
                    end = new ProcessEnd(new WaitStatus(report.Value), report.Usage.CpuMicroseconds / 1000, report.Usage.PeakMemoryBytes);
            }
            catch (IOException)
            {
                // Nothing more is heard of it, as of one that is gone.
            }

            SetExited(end);
        }
    }

    private async Task<Report?> ReadReportAsync(CancellationToken cancellationToken)
    {
        var bytes = new byte[ReportBytes];
        for (var read = 0; read < ReportBytes;)
        {
            var count = await _reports.ReadAsync(bytes.AsMemory(read), cancellationToken);
            if (count == 0)
                return null;
            read += count;
        }

        var usage = new ChildUsage { CpuMicroseconds = Long(bytes, 16), PeakMemoryBytes = Long(bytes, 24) };
        return new Report(Int(bytes, 0), Int(bytes, 4), Int(bytes, 8), usage);
    }

    private static long Long(byte[] bytes, int offset) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(offset));

    private static int Int(byte[] bytes, int offset) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(offset));

    private readonly record struct Report(int Pid, int Value, int Errno, ChildUsage Usage);
}

/// <summary>Starts every command below a reaper. For PID 1 of a pid namespace only.</summary>
/// <param name="children">Makes and reaps the reapers.</param>
/// <param name="spawner">Starts them.</param>
/// <param name="helperPath">The path of <c>codesandbox-reaper</c>.</param>
internal sealed class ReaperTreeFactory(ChildReaper children, ProcessSpawner spawner, string helperPath) : IProcessTreeFactory
{
    public async Task<ProcessTree> StartAsync(ProcessStart start, ProcessChannels channels)
    {
        try
        {
            return await ReaperTree.StartAsync(children, spawner, helperPath, start, channels);
        }
        finally
        {
            channels.CloseChildEnds();
        }
    }

    /// <summary>Only processes of this pid namespace can be meant: kill(2).</summary>
    public void KillAll() => _ = Native.Kill(-1, Native.SIGKILL);
}
