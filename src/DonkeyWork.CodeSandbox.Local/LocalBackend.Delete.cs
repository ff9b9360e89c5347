using DonkeyWork.CodeSandbox.Local.Cgroups;
using DonkeyWork.CodeSandbox.Local.Disks;
using DonkeyWork.CodeSandbox.Local.Posix;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Local;

public sealed partial class LocalBackend
{
    private static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    // Null where the condition is not met; otherwise the removal, which goes on by itself until it has succeeded.
    private Task? AcceptRemoval(LocalSandbox sandbox, Func<Sandbox, bool> condition)
    {
        lock (sandbox.Steps)
        {
            if (!condition(sandbox.State))
                return null;
            if (sandbox.Removal is { } removal)
                return removal;
            if (_isDisposed)
                throw new BackendUnavailableException("The Local backend is stopping.");
            if (sandbox.Note(record => condition(record.Sandbox)
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
        await sandbox.Ending.CancelAsync();
        // However it went.
        await sandbox.Life.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        for (var pause = FirstPause; ; pause = pause < LongestPause / 2 ? pause * 2 : LongestPause)
        {
            try
            {
                await RemoveRemainsAsync(name, sandbox.Process, sandbox.Record.Group);
                break;
            }
            catch (Exception failure)
            {
                NotRemoved(failure, name, pause);
            }

            await Task.Delay(pause, _time, _givesUp.Token);
        }

        _sandboxes.TryRemove(new(name, sandbox));
        sandbox.Dispose();
        _feed.Gone(sandbox.State);
        Removed(name);
    }

    // Everything that can be there of a sandbox, however far its start or an earlier removal came.
    private async Task RemoveRemainsAsync(string name, SafeFileHandle? process, string? group)
    {
        var (groups, runtime) = (Host.Cgroups, Runtime);
        group ??= groups?.PathOf(name);
        if (process is not null)
            Descriptors.Kill(process);
        if (group is not null)
            groups?.Kill(group);
        // Once the first process of a pid namespace has ended, so has every other in it (pid_namespaces(7)).
        if (process is not null && !await EndsWithinAsync(process, KillLimit))
            throw new TimeoutException($"The executor of {name} did not end within {KillLimit.TotalSeconds:0} s of SIGKILL.");
        await runtime.DeleteAsync(name);
        // Of another runtime, where the operator has changed it.
        if (Directory.Exists(Path.Combine(_state.Runtime, name)))
            Directory.Delete(Path.Combine(_state.Runtime, name), recursive: true);
        var directory = _state.Of(name);
        DiskImages.Delete(new SandboxDisk(directory));
        if (group is not null && groups is not null)
            await RemoveGroupAsync(groups, group);
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    // What the runtime itself had in the group was killed too, and is in it until it has ended.
    private async Task RemoveGroupAsync(CgroupTree groups, string group)
    {
        var begun = _time.GetTimestamp();
        while (true)
        {
            try
            {
                groups.Remove(group);
                return;
            }
            catch (IOException) when (_time.GetElapsedTime(begun) < KillLimit)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), _time);
            }
        }
    }

    private async Task<bool> EndsWithinAsync(SafeFileHandle process, TimeSpan time)
    {
        using var limit = new CancellationTokenSource(time, _time);
        try
        {
            await _exits.WaitAsync(process, limit.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
