using DonkeyWork.CodeSandbox.Local.Oci;
using DonkeyWork.CodeSandbox.Local.Posix;
using DonkeyWork.CodeSandbox.Local.State;
using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Local;

public sealed partial class LocalBackend
{
    private async Task AdoptAsync(CancellationToken cancellationToken)
    {
        await RuntimeCommandsLeftAsync();
        var kept = Directory.EnumerateDirectories(_state.Sandboxes).Select(path => Path.GetFileName(path)).ToList();
        await Task.WhenAll(kept.Select(name => TryAdoptAsync(name, cancellationToken)));
        var remains = kept.Concat(Runtime.Existing()).Concat(Host.Cgroups?.Existing() ?? []).Distinct().Where(name => !_sandboxes.ContainsKey(name));
        await Task.WhenAll(remains.Select(async name =>
        {
            try
            {
                var record = LocalSandbox.Read(_state.Of(name));
                using var process = record?.Executor is { } executor && executor.IsAlive() ? Descriptors.Process(executor.Pid) : null;
                await RemoveRemainsAsync(name, process, record?.Group);
                RemainsRemoved(name);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or TimeoutException)
            {
                // Not a reason to serve nobody: the next start tries again.
                RemainsNotRemoved(failure, name);
            }
        }));
    }

    private async Task TryAdoptAsync(string name, CancellationToken cancellationToken)
    {
        var directory = _state.Of(name);
        if (LocalSandbox.Read(directory) is not { Executor: { } executor, Sandbox: { IsDeleting: false, Phase: SandboxPhase.Running } } record || record.Sandbox.Name != name || record.Sandbox.RuntimeClass != Runtime.Name)
            return;
        var sandbox = new LocalSandbox(directory, record, _feed);
        var isAdopted = false;
        try
        {
            if (Runtime.IsGVisor)
                sandbox.MoveSocketTo(new Disks.SandboxDisk(directory).Run);
            sandbox.Process = Descriptors.Process(executor.Pid);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(HealthLimit);
            if (!executor.IsAlive() || !await sandbox.Connection.IsHealthyAsync(limit.Token))
                return;
            _sandboxes[name] = sandbox;
            isAdopted = true;
            sandbox.Begin();
            sandbox.Life = Task.Run(() => WatchOverAsync(sandbox), CancellationToken.None);
            Adopted(name);
        }
        catch (Exception gone) when (gone is PosixException || (gone is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // Not there any more, or it does not answer: its remains are removed.
        }
        finally
        {
            if (!isAdopted)
                sandbox.Dispose();
        }
    }

    // A runtime that a killed Manager had started may still be at work, and would make what is about to be removed.
    private async Task RuntimeCommandsLeftAsync()
    {
        foreach (var pid in Directory.EnumerateDirectories("/proc").Select(path => int.TryParse(Path.GetFileName(path), out var pid) ? pid : 0).Where(pid => pid > 0))
        {
            try
            {
                var arguments = (await File.ReadAllTextAsync($"/proc/{pid}/cmdline")).Split('\0');
                if (!arguments.Contains(_state.Runtime) || !arguments.Contains("run"))
                    continue;
                using var process = Descriptors.Process(pid);
                if (!await EndsWithinAsync(process, KillLimit))
                    Descriptors.Kill(process);
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // It has ended, or is somebody else's.
            }
        }
    }
}
