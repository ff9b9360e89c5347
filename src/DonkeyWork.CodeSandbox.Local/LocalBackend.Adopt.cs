using System.Globalization;
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
        var sandbox = new LocalSandbox(directory, record, _feed, NotKept);
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
            sandbox.Note(record => record);
            sandbox.Life = Task.Run(() => WatchOverAsync(sandbox), CancellationToken.None);
            Adopted(name);
        }
        catch (Exception gone) when (gone is IOException || (gone is OperationCanceledException && !cancellationToken.IsCancellationRequested))
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
        var program = Runtime.Program();
        var userNamespace = new FileInfo("/proc/self/ns/user").LinkTarget;
        await Task.WhenAll(Directory.EnumerateDirectories("/proc").Where(IsRuntimeCommand).Select(async path =>
        {
            try
            {
                using var process = Descriptors.Process(int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture));
                if (!await EndsWithinAsync(process, KillLimit) && IsRuntimeCommand(path))
                    Descriptors.Kill(process);
            }
            catch (PosixException)
            {
                // It has ended.
            }
        }));

        // Everybody can give a process such arguments, and a sandbox its whole view: the kernel's word on program and namespace counts.
        bool IsRuntimeCommand(string path)
        {
            try
            {
                return char.IsAsciiDigit(Path.GetFileName(path)[0])
                    && File.ReadAllText(Path.Combine(path, "cmdline")).Split('\0') is var arguments
                    && arguments.Contains(_state.Runtime) && arguments.Contains("run")
                    && new FileInfo(Path.Combine(path, "exe")).LinkTarget == program
                    && new FileInfo(Path.Combine(path, "ns", "user")).LinkTarget == userNamespace;
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
    }
}
