using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>Sandboxes that end, or never begin, and what is left of them.</summary>
public sealed class EndingTests : IAsyncLifetime
{
    private LocalMachine _machine = null!;

    public async Task InitializeAsync() => _machine = await LocalMachine.StartAsync();

    public Task DisposeAsync() => _machine.DisposeAsync();

    [Fact]
    public async Task An_executor_that_ends_is_noticed_and_told()
    {
        var sandbox = await _machine.Backend.CreateReadyAsync();

        await HostView.RunAsync("kill", "-KILL", $"{HostView.ExecutorOf(sandbox.Name)}");

        var failed = (await _machine.Backend.UntilAsync(sandbox.Name, state => state is { Phase: SandboxPhase.Failed })).ShouldNotBeNull();
        failed.IsReady.ShouldBeFalse();
        failed.Message.ShouldNotBeNull().ShouldStartWith("The executor ended");
        await _machine.Backend.DeleteGoneAsync(failed);
        HostView.Cgroups(sandbox.Name).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_start_that_fails_is_told_in_the_runtimes_words_and_can_be_deleted()
    {
        // Loses the race against the start only if that takes no time at all: the template goes before the create.
        Directory.Move(Path.Combine(_machine.Directory, "rootfs"), Path.Combine(_machine.Directory, "moved"));
        var spec = Specs.New();
        await _machine.Backend.CreateAsync(spec, CancellationToken.None);

        var failed = (await _machine.Backend.UntilAsync(spec.Name, state => state is { Phase: SandboxPhase.Failed })).ShouldNotBeNull();

        failed.Message.ShouldNotBeNull().ShouldStartWith("runc: ");
        failed.Message.ShouldContain("rootfs");
        await _machine.Backend.DeleteGoneAsync(failed);
        (await HostView.RemainsAsync(_machine.Directory)).ShouldBeEmpty();
        HostView.Cgroups(spec.Name).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_deleted_sandbox_takes_everything_with_it()
    {
        var sandbox = await _machine.Backend.CreateReadyAsync();
        await _machine.Backend.RunAsync(sandbox, "setsid sleep 1000 >/dev/null 2>&1 & mkdir -p ~/a/b/c; ln -s / ~/a/root; head -c 5M /dev/zero > /tmp/file");
        var processes = HostView.ProcessesOf(sandbox.Name);
        processes.Count.ShouldBeGreaterThan(1);
        HostView.LoopDevices(_machine.Directory).ShouldNotBeEmpty();

        await _machine.Backend.DeleteGoneAsync(sandbox);

        processes.Where(HostView.IsAlive).ShouldBeEmpty();
        HostView.Cgroups(sandbox.Name).ShouldBeEmpty();
        (await HostView.RemainsAsync(_machine.Directory)).ShouldBeEmpty();
        (await HostView.RunAsync("runc", "--root", Path.Combine(_machine.Directory, "runtime"), "list", "-q")).Output.ShouldBeEmpty();
    }

    [Fact]
    public async Task Twenty_that_are_deleted_while_they_start_leave_nothing()
    {
        var specs = Enumerable.Range(0, 20).Select(_ => Specs.New()).ToList();

        await Task.WhenAll(specs.Select(async spec =>
        {
            var accepted = await _machine.Backend.CreateAsync(spec, CancellationToken.None);
            await Task.Yield();
            (await _machine.Backend.DeleteAsync(accepted, DeleteCondition.SameUid, CancellationToken.None)).ShouldBeTrue();
            (await _machine.Backend.UntilAsync(spec.Name, state => state is null)).ShouldBeNull();
        }));

        (await HostView.RemainsAsync(_machine.Directory)).ShouldBeEmpty();
        specs.SelectMany(spec => HostView.Cgroups(spec.Name)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_stop_takes_those_that_are_still_starting_too_and_no_more_are_made()
    {
        var sandboxes = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => _machine.Backend.CreateAsync(Specs.New(), CancellationToken.None)));

        await _machine.Backend.StopAsync(CancellationToken.None);

        sandboxes.SelectMany(sandbox => HostView.Cgroups(sandbox.Name)).ShouldBeEmpty();
        (await HostView.RemainsAsync(_machine.Directory)).ShouldBeEmpty();
        await Should.ThrowAsync<BackendUnavailableException>(() => _machine.Backend.CreateAsync(Specs.New(), CancellationToken.None));
    }
}
