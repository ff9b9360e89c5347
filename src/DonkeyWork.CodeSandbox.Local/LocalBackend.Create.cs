using System.Net.Sockets;
using System.Runtime.InteropServices;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Local.Cgroups;
using DonkeyWork.CodeSandbox.Local.Disks;
using DonkeyWork.CodeSandbox.Local.Executors;
using DonkeyWork.CodeSandbox.Local.Oci;
using DonkeyWork.CodeSandbox.Local.Posix;
using DonkeyWork.CodeSandbox.Local.Runtime;
using DonkeyWork.CodeSandbox.Local.State;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Local;

public sealed partial class LocalBackend
{
    /// <inheritdoc/>
    public Task<Sandbox> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        if (!WellFormedName().IsMatch(spec.Name))
            throw new ArgumentException($"{spec.Name} is no name of a sandbox.", nameof(spec));
        var host = Host;
        lock (_creates)
        {
            if (_isStopping)
                throw new BackendUnavailableException("The Local backend is stopping.");
            var directory = _state.Of(spec.Name);
            RefuseOnFullDisk();
            // There may be a directory without a sandbox, where remains could not be removed.
            if (_sandboxes.ContainsKey(spec.Name) || Directory.Exists(directory))
                throw new SandboxExistsException(spec.Name);
            LocalSandbox? sandbox = null;
            try
            {
                // runc opens what it mounts as root; gVisor's file server comes this way as the sandbox's user.
                Directories.Make(directory, StateDirectory.Passable);
                sandbox = new LocalSandbox(directory, FirstRecord(spec, host), _feed, NotKept);
                lock (sandbox.Steps)
                {
                    _sandboxes[spec.Name] = sandbox;
                    var accepted = sandbox.Change(record => record)!;
                    sandbox.Life = Task.Run(() => LiveAsync(sandbox, spec), CancellationToken.None);
                    return Task.FromResult(accepted);
                }
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                _sandboxes.TryRemove(spec.Name, out _);
                sandbox?.Dispose();
                if (Directory.Exists(directory))
                    Directory.Delete(directory, recursive: true);
                throw new BackendUnavailableException($"The sandbox cannot be recorded: {failure.Message}", failure);
            }
        }
    }

    // A start that runs out of it half-way fails in words that help nobody, and records of changes need some too.
    private void RefuseOnFullDisk()
    {
        const long ReserveMi = 64;
        var free = new DriveInfo(_state.Root).AvailableFreeSpace >> 20;
        if (free < ReserveMi)
            throw new BackendUnavailableException($"The file system of {_state.Root} has {free} MiB left, and a sandbox needs {ReserveMi}: delete sandboxes, or make room there.");
    }

    private SandboxRecord FirstRecord(SandboxSpec spec, Host.LocalHost host) => new()
    {
        FirstHostId = host.OwnIds?.First ?? IdRange.Free([.. _sandboxes.Values.Select(other => other.Record.FirstHostId)]),
        Group = host.Cgroups?.PathOf(spec.Name),
        Sandbox = new Sandbox
        {
            Name = spec.Name,
            Uid = Guid.NewGuid().ToString(),
            Version = "0",
            Nonce = spec.Nonce,
            Phase = SandboxPhase.Pending,
            IsReady = false,
            Message = "The container is being started.",
            CreatedAt = spec.CreatedAt,
            AllocatedAt = spec.PoolStatus == PoolStatus.Warm ? null : spec.CreatedAt,
            PoolStatus = spec.PoolStatus,
            Owner = spec.Owner,
            ClaimId = spec.ClaimId,
            Lifetime = spec.Lifetime,
            Epoch = spec.Epoch,
            Labels = spec.Labels,
            Resources = spec.Resources,
            LimitsEnforced = host.Cgroups is not null,
            NodeName = Environment.MachineName,
            Image = _options.RootFs ?? "host",
            RuntimeClass = Runtime.Name,
            Template = spec.Template,
        },
    };

    private async Task LiveAsync(LocalSandbox sandbox, SandboxSpec spec)
    {
        try
        {
            await BringUpAsync(sandbox, spec);
        }
        catch (OperationCanceledException) when (sandbox.Ending.IsCancellationRequested)
        {
            return;
        }
        catch (Exception failure)
        {
            Finish(sandbox, SandboxPhase.Failed, failure.Message);
            return;
        }

        await WatchOverAsync(sandbox);
    }

    private async Task BringUpAsync(LocalSandbox sandbox, SandboxSpec spec)
    {
        var begun = _time.GetTimestamp();
        var host = Host;
        SemaphoreSlim[] places = spec.PoolStatus == PoolStatus.Warm ? [_poolStarts, _starts] : [_starts];
        var taken = 0;
        try
        {
            for (; taken < places.Length; taken++)
                await places[taken].WaitAsync(sandbox.Ending.Token);
            var ids = host.OwnIds ?? IdRange.Of(sandbox.Record.FirstHostId);
            var disk = Task.Run(() => host.Disks?.Create(spec.Name, ids.HostUser));
            // gVisor takes neither descriptors nor limits for a group that exists already.
            var groups = Task.Run(() => Runtime.IsGVisor ? null : host.Cgroups?.Create(spec.Name, ids.HostUser, host.HandsOverGroups));
            try
            {
                await Task.WhenAll(disk, groups);
                sandbox.Ending.Token.ThrowIfCancellationRequested();
                await RunAsync(sandbox, spec, ids, await disk, await groups);
            }
            finally
            {
                if (groups.IsCompletedSuccessfully)
                    (await groups)?.Dispose();
            }
        }
        finally
        {
            foreach (var place in places[..taken])
                place.Release();
        }

        if (sandbox.Change(record => record.Sandbox.IsDeleting ? null : record with
        {
            Sandbox = record.Sandbox with { Phase = SandboxPhase.Running, IsReady = true, Message = null },
        }) is not null)
        {
            var elapsed = _time.GetElapsedTime(begun);
            Started(spec.Name, elapsed);
        }
    }

    private async Task RunAsync(LocalSandbox sandbox, SandboxSpec spec, IdRange ids, SandboxDisk? disk, CgroupHandles? groups)
    {
        var host = Host;
        var runtime = Runtime;
        var hostTasks = _options.PidsLimit * runtime.HostTasksPerTask;
        List<SafeHandle> descriptors = [];
        List<string> arguments = [];
        Socket? listener = null;
        try
        {
            if (runtime.IsGVisor)
            {
                sandbox.MoveSocketTo(disk!.Run);
                arguments.AddRange(["--listen", $"unix:{RootFileSystem.SocketDirectory}/{ExecutorConnection.SocketName}"]);
            }
            else
            {
                listener = sandbox.Connection.Listen();
                Give("--listen", listener.SafeHandle);
                if (groups?.Directory is { } directory)
                    Give("--cgroup", directory);
                if (groups is not null)
                    Give("--oom-events", groups.OutOfMemoryCounters);
                // gVisor's are its own, and the host counts none.
                arguments.Add("--no-inotify");
            }

            if (groups is not null)
                arguments.AddRange(["--tasks-limit", $"{_options.PidsLimit}"]);
            var configuration = OciSpecFactory.Serialize(new OciSpecInput
            {
                Spec = spec,
                Ids = ids,
                RootFileSystem = host.RootFileSystem,
                IsImage = _options.RootFs is not null,
                ExecutorDirectory = host.ExecutorDirectory,
                Disk = disk,
                HomeSizeMi = _options.HomeSizeMi,
                PidsLimit = hostTasks,
                CgroupsPath = sandbox.Record.Group,
                LimitsSwap = host.Cgroups?.LimitsSwap ?? false,
                AvoidsSwap = host.Cgroups?.AvoidsSwap ?? false,
                ExecutorArguments = arguments,
                SharesSocketDirectory = runtime.IsGVisor,
                OpenFiles = host.OpenFiles,
                PendingSignals = host.PendingSignals,
            });
            AtomicFile.Write(Path.Combine(_state.Of(spec.Name), "config.json"), configuration);
            sandbox.Printed = Descriptors.InMemory(spec.Name);
            var pid = await runtime.RunAsync(spec.Name, descriptors, sandbox.Printed);
            Hold(sandbox, pid);
            if (host.Cgroups?.FirstNotInForce(sandbox.Record.Group!, spec.Resources.Limits!.MemoryMi!.Value * 1024L * 1024, hostTasks) is { } limit)
                throw new SandboxStartException($"The limit {limit} is not in force; nothing runs without it.");
            if (runtime.IsGVisor)
                await ListensAsync(sandbox);
        }
        finally
        {
            listener?.Dispose();
        }

        void Give(string option, SafeHandle descriptor)
        {
            arguments.AddRange([option, $"fd:{3 + descriptors.Count}"]);
            descriptors.Add(descriptor);
        }
    }

    private static void Hold(LocalSandbox sandbox, int pid)
    {
        try
        {
            sandbox.Process = Descriptors.Process(pid);
        }
        catch (PosixException gone) when (gone.Error == LibC.Esrch)
        {
            throw new SandboxStartException($"The executor ended at once: {Ending(sandbox)}");
        }

        var identity = ProcessIdentity.Of(pid) ?? throw new SandboxStartException($"The executor ended at once: {Ending(sandbox)}");
        sandbox.Change(record => record with { Executor = identity });
    }
}
