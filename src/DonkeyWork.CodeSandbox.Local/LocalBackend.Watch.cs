using System.Net.Sockets;
using DonkeyWork.CodeSandbox.Local.Posix;
using DonkeyWork.CodeSandbox.Local.Runtime;
using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Local;

public sealed partial class LocalBackend
{
    // A busy machine's executors answer late, and one that is given up is killed with all its work.
    private static readonly TimeSpan HealthLimit = TimeSpan.FromSeconds(30);

    // Until the sandbox ends by itself, which is told, or is ended.
    private async Task WatchOverAsync(LocalSandbox sandbox)
    {
        try
        {
            var ends = _exits.WaitAsync(sandbox.Process!, sandbox.Ending.Token);
            await (Runtime.IsGVisor ? await Task.WhenAny(ends, AnswersNoMoreAsync(sandbox)) : ends);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        const int Killed = 9;
        var status = Descriptors.StatusOf(sandbox.Process!);
        if (status == 0)
            Finish(sandbox, SandboxPhase.Succeeded, "The executor ended.");
        else if ((status is null || (status & 0x7f) == Killed) && sandbox.Record.Group is { } group && Host.Cgroups?.OutOfMemoryKills(group) > 0)
            Finish(sandbox, SandboxPhase.Failed, "OOMKilled: the sandbox needed more memory than its limit.");
        else
            Finish(sandbox, SandboxPhase.Failed, $"The executor ended{(status is null ? "" : $" with {ExitCode(status.Value)}")}. {Ending(sandbox)}".TrimEnd());
    }

    // As a shell would say it: 128 + signal.
    private static int ExitCode(int status) => (status & 0x7f) == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f);

    // A socket that the executor makes itself: nothing tells when it has come to listen(2). Whoever waits for the
    // sandbox has a limit of time, and deletes it then.
    private async Task ListensAsync(LocalSandbox sandbox)
    {
        var ended = _exits.WaitAsync(sandbox.Process!, sandbox.Ending.Token);
        while (true)
        {
            try
            {
                await using var connection = await sandbox.Connection.ConnectAsync(sandbox.Ending.Token);
                return;
            }
            catch (Exception early) when (early is SocketException or IOException)
            {
                if (ended.IsCompletedSuccessfully)
                    throw new SandboxStartException($"The executor ended at once: {Ending(sandbox)}");
                await Task.Delay(TimeSpan.FromMilliseconds(20), _time, sandbox.Ending.Token);
            }
        }
    }

    // gVisor can lose everything inside while its own process lives on. An idle connection tells: its end is looked
    // into, and an executor that only closes idle connections takes the next one.
    private static async Task AnswersNoMoreAsync(LocalSandbox sandbox)
    {
        try
        {
            while (true)
            {
                await using var connection = await sandbox.Connection.ConnectAsync(sandbox.Ending.Token);
                _ = await connection.ReadAsync(new byte[1], sandbox.Ending.Token);
            }
        }
        catch (Exception broken) when (broken is SocketException or IOException)
        {
            // Nobody takes connections any more.
        }
    }

    private static string Ending(LocalSandbox sandbox) => sandbox.Printed is { } printed ? RuntimeProcess.TextOf(printed, mostBytes: 2000) : "";

    private void Finish(LocalSandbox sandbox, SandboxPhase phase, string reason)
    {
        if (sandbox.Note(record => record.Sandbox.IsDeleting ? null : record with
        {
            Sandbox = record.Sandbox with { Phase = phase, IsReady = false, Message = reason },
        }) is not null)
        {
            SandboxEnded(sandbox.State.Name, reason);
        }
    }
}
