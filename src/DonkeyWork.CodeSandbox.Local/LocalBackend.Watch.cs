using System.Net.Sockets;
using DonkeyWork.CodeSandbox.Local.Posix;
using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Local;

public sealed partial class LocalBackend
{
    private static readonly TimeSpan HealthLimit = TimeSpan.FromSeconds(5);

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

        var killed = Host.Cgroups?.OutOfMemoryKills(sandbox.State.Name) > 0;
        Fail(sandbox, killed ? $"OOMKilled: the sandbox needed more memory than its limit. {Ending(sandbox)}".TrimEnd() : $"The executor ended. {Ending(sandbox)}".TrimEnd());
    }

    // gVisor can lose everything inside while its own process lives on. An idle connection tells: its end is looked
    // into, and an executor that only closes idle connections takes the next one.
    private static async Task AnswersNoMoreAsync(LocalSandbox sandbox)
    {
        var seen = false;
        while (true)
        {
            try
            {
                await using var connection = await sandbox.Connection.ConnectAsync(sandbox.Ending.Token);
                seen = true;
                _ = await connection.ReadAsync(new byte[1], sandbox.Ending.Token);
            }
            catch (Exception broken) when (broken is SocketException or IOException)
            {
                if (seen)
                    return;
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, sandbox.Ending.Token);
            }
        }
    }

    private static string Ending(LocalSandbox sandbox) => sandbox.Printed is { } printed ? RuntimeProcess.TextOf(printed, mostBytes: 2000) : "";

    private void Fail(LocalSandbox sandbox, string reason)
    {
        if (sandbox.Change(record => record.Sandbox.IsDeleting ? null : record with
        {
            Sandbox = record.Sandbox with { Phase = SandboxPhase.Failed, IsReady = false, Message = reason },
        }) is not null)
        {
            SandboxFailed(sandbox.State.Name, reason);
        }
    }
}
