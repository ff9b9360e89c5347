using System.Diagnostics;
using DonkeyWork.CodeSandbox.Server.Posix;

namespace DonkeyWork.CodeSandbox.Server.Tests.Running;

/// <summary>
/// Real programs as children of the tests, put into sessions of their own by setsid(1). The executor's own spawner reaps every
/// child of its process, and so cannot be had here.
/// </summary>
internal sealed class HostTrees : IProcessTreeFactory
{
    private int _kills;

    /// <summary>How many kills fail before one succeeds.</summary>
    public int FailingKills { get; set; }

    /// <summary>Where it is set, what starts wait for.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public async Task<ProcessTree> StartAsync(ProcessStart start, ProcessChannels channels)
    {
        try
        {
            await Gate;
            return new HostTree(this, start, channels);
        }
        finally
        {
            channels.CloseChildEnds();
        }
    }

    public void KillAll()
    {
    }

    private sealed class HostTree : ProcessTree
    {
        private readonly Process _process;

        private readonly HostTrees _trees;

        public HostTree(HostTrees trees, ProcessStart start, ProcessChannels channels)
        {
            _trees = trees;
            var redirections = $"0<>{NameOf(channels.ChildInput)} 1>{NameOf(channels.ChildOutput)} 2>{NameOf(channels.ChildError)}";
            var info = new ProcessStartInfo(
                "bash", ["-c", $"exec 3>&1 {redirections}; exec setsid {(channels.IsTerminal ? "--ctty" : "")} bash -c 'echo open >&3; exec 3>&-; exec \"$@\"' bash \"$@\"", "bash", start.Path, .. start.Arguments.Skip(1)])
            {
                RedirectStandardOutput = true,
                WorkingDirectory = start.Directory,
            };
            info.Environment.Clear();
            foreach (var (name, value) in start.Environment)
                info.Environment[name] = value;
            _process = Process.Start(info)!;
            // From here on it has its ends, and leads the group that is killed: a kill before that would reach nobody.
            _process.StandardOutput.ReadLine().ShouldBe("open");
            Pid = _process.Id;
            _ = FollowAsync();
        }

        public override void Kill()
        {
            if (Interlocked.Increment(ref _trees._kills) <= _trees.FailingKills)
                throw new IOException("The kernel refuses.");
            Signal(Native.SIGKILL);
        }

        public override bool Signal(int signal) => !Exited.IsCompleted && Native.Kill(-Pid, signal) == 0;

        public override void Release()
        {
        }

        private async Task FollowAsync()
        {
            await _process.WaitForExitAsync();
            SetExited(new ProcessEnd(new WaitStatus(_process.ExitCode > WaitStatus.SignalBase ? _process.ExitCode - WaitStatus.SignalBase : _process.ExitCode << 8)));
            _process.Dispose();
        }

        private static string NameOf(int descriptor) => descriptor < 0 ? "/dev/null" : $"/proc/{Environment.ProcessId}/fd/{descriptor}";
    }
}
