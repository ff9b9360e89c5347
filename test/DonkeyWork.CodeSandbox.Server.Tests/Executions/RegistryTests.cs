using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;
using DonkeyWork.CodeSandbox.Server.Http;
using DonkeyWork.CodeSandbox.Server.Posix;
using Microsoft.Extensions.Logging.Abstractions;

namespace DonkeyWork.CodeSandbox.Server.Tests.Executions;

public sealed class RegistryTests
{
    [Fact]
    public async Task Ids_are_remembered_up_to_a_bound_and_never_start_twice()
    {
        var trees = new InstantTrees();
        var host = new ExecutionHost(trees, new OomCounter(null), new LogPlace("/tmp"), TimeProvider.System, NullLogger<Execution>.Instance);
        var registry = new ExecutionRegistry(host, new SandboxEnvironment(_ => null), NullLogger<ExecutionRegistry>.Instance, maxNamed: 3);
        await registry.StartAsync(Request("a"), streams: false);
        await registry.StartAsync(Request("b"), streams: false);
        await registry.DeleteAsync("b");
        var (unnamed, _) = await registry.StartAsync(Request(null), streams: false);

        Should.Throw<RequestException>(() => registry.StartAsync(Request("c"), streams: false).GetAwaiter().GetResult()).Code.ShouldBe(ErrorCodes.TooManyExecutions);
        (await registry.StartAsync(Request("a"), streams: false)).IsNew.ShouldBeFalse();
        Should.Throw<RequestException>(() => registry.StartAsync(Request("b"), streams: false).GetAwaiter().GetResult()).Code.ShouldBe(ErrorCodes.ExecutionDeleted);
        registry.List().Select(execution => execution.Id).ShouldBe(["a", unnamed.Id], ignoreOrder: true);
        trees.Started.ShouldBe(3);
    }

    [Fact]
    public async Task A_second_start_waits_for_the_outcome_of_the_first()
    {
        var trees = new InstantTrees { Gate = new TaskCompletionSource() };
        var host = new ExecutionHost(trees, new OomCounter(null), new LogPlace("/tmp"), TimeProvider.System, NullLogger<Execution>.Instance);
        var registry = new ExecutionRegistry(host, new SandboxEnvironment(_ => null), NullLogger<ExecutionRegistry>.Instance);
        var first = registry.StartAsync(Request("a"), streams: false);
        var second = registry.StartAsync(Request("a"), streams: true);
        var deleted = registry.DeleteAsync("a");
        second.IsCompleted.ShouldBeFalse();
        deleted.IsCompleted.ShouldBeFalse();

        trees.Gate.SetException(new StartFailedException(SpawnStep.Exec, 2));

        foreach (var start in (Task[])[first, second])
            (await Should.ThrowAsync<RequestException>(start)).Code.ShouldBe(ErrorCodes.StartFailed);
        (await Should.ThrowAsync<RequestException>(deleted)).Code.ShouldBe(ErrorCodes.ExecutionNotFound);
        trees.Gate = null;
        (await registry.StartAsync(Request("a"), streams: false)).IsNew.ShouldBeTrue();
    }

    [Fact]
    public async Task A_start_that_fails_in_any_way_frees_its_id()
    {
        var trees = new InstantTrees { Gate = new TaskCompletionSource() };
        var registry = Registry(trees);
        var first = registry.StartAsync(Request("a"), streams: false);
        var second = registry.StartAsync(Request("a"), streams: false);

        trees.Gate.SetException(new IOException("/proc cannot be read"));

        await Should.ThrowAsync<IOException>(first);
        (await Should.ThrowAsync<RequestException>(second)).Code.ShouldBe(ErrorCodes.InternalError);
        trees.Gate = null;
        (await registry.StartAsync(Request("a"), streams: false)).IsNew.ShouldBeTrue();
    }

    [Fact]
    public async Task What_could_not_be_killed_can_be_deleted_again()
    {
        var trees = new InstantTrees { RefusesKill = true };
        var registry = Registry(trees);
        await registry.StartAsync(Request("a"), streams: false);

        await Should.ThrowAsync<IOException>(registry.DeleteAsync("a"));
        registry.List().Count.ShouldBe(1);
        trees.RefusesKill = false;
        await registry.DeleteAsync("a");

        registry.List().ShouldBeEmpty();
        (await Should.ThrowAsync<RequestException>(registry.DeleteAsync("a"))).Code.ShouldBe(ErrorCodes.ExecutionDeleted);
    }

    private static ExecutionRegistry Registry(InstantTrees trees)
    {
        var host = new ExecutionHost(trees, new OomCounter(null), new LogPlace("/tmp"), TimeProvider.System, NullLogger<Execution>.Instance);
        return new ExecutionRegistry(host, new SandboxEnvironment(_ => null), NullLogger<ExecutionRegistry>.Instance);
    }

    private static StartExecutionRequest Request(string? id) => new() { Id = id, Command = "true" };

    /// <summary>Processes that end before anybody looks.</summary>
    private sealed class InstantTrees : IProcessTreeFactory
    {
        public int Started { get; private set; }

        public TaskCompletionSource? Gate { get; set; }

        public bool RefusesKill { get; set; }

        public async Task<ProcessTree> StartAsync(ProcessStart start, ProcessChannels channels)
        {
            channels.CloseChildEnds();
            if (Gate is { } gate)
                await gate.Task;
            Started++;
            return new InstantTree(this);
        }

        public void KillAll()
        {
        }
    }

    private sealed class InstantTree : ProcessTree
    {
        private readonly InstantTrees _trees;

        public InstantTree(InstantTrees trees)
        {
            _trees = trees;
            SetExited(new ProcessEnd(new WaitStatus(0)));
        }

        public override void Kill()
        {
            if (_trees.RefusesKill)
                throw new IOException("/proc cannot be read");
        }

        public override bool Signal(int signal) => false;

        public override void Release()
        {
        }
    }
}
