using DonkeyWork.CodeSandbox.Local.Disks;
using DonkeyWork.CodeSandbox.Local.Posix;
using DonkeyWork.CodeSandbox.Sandboxes;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Local;

public sealed partial class LocalBackend
{
    private static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(10);

    // Null where the condition is not met; otherwise the removal, which runs by itself and is started again if it has failed.
    private Task? AcceptRemoval(LocalSandbox sandbox, Func<Sandbox, bool> condition)
    {
        lock (sandbox)
        {
            if (sandbox.Removal is { IsFaulted: false } removal)
                return condition(sandbox.State with { Version = sandbox.State.Version }) || sandbox.State.IsDeleting ? removal : null;
            if (sandbox.Removal is null && sandbox.Change(record => condition(record.Sandbox)
                ? record with { Sandbox = record.Sandbox with { IsDeleting = true, IsReady = false } }
                : null) is null)
            {
                return null;
            }

            return sandbox.Removal = Task.Run(() => RemoveAsync(sandbox));
        }
    }

    private async Task RemoveAsync(LocalSandbox sandbox)
    {
        var name = sandbox.State.Name;
        try
        {
            await sandbox.Ending.CancelAsync();
            await sandbox.Life;
            await RemoveRemainsAsync(name, sandbox.Process);
        }
        catch (Exception failure)
        {
            NotRemoved(failure, name);
            throw;
        }

        _sandboxes.TryRemove(new(name, sandbox));
        sandbox.Dispose();
        _feed.Gone(sandbox.State);
        Removed(name);
    }

    // Everything that can be there of a sandbox, however far its start or an earlier removal came.
    private async Task RemoveRemainsAsync(string name, SafeFileHandle? process)
    {
        var (host, runtime) = (_host, Runtime);
        if (process is not null)
            Descriptors.Kill(process);
        host?.Cgroups?.Kill(name);
        if (process is not null)
        {
            using var limit = new CancellationTokenSource(KillLimit, _time);
            // Once the first process of a pid namespace has ended, so has every other in it (pid_namespaces(7)).
            await _exits.WaitAsync(process, limit.Token);
        }

        await runtime.DeleteAsync(name);
        var directory = _state.Of(name);
        DiskImages.Delete(new SandboxDisk(directory));
        host?.Cgroups?.Remove(name);
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }
}
