using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Pods;
using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Pods;

/// <summary>States of pods that a cluster cannot be made to show at will; those that it can are in <see cref="Backend.PodMessageTests"/>.</summary>
public sealed class SandboxReaderTests
{
    private static readonly PodCondition Ready = new("Ready", "True", null, null);
    private static readonly PodCondition NotReady = new("Ready", "False", null, null);
    private static readonly PodCondition ContainersReady = new("ContainersReady", "True", null, null);
    private static readonly PodCondition ContainersNotReady = new("ContainersReady", "False", "ContainersNotReady", "containers with unready status: [executor]");

    [Fact]
    public void A_pod_is_ready_by_its_condition_and_not_by_its_phase()
    {
        Read("Running", [Ready, ContainersReady], ContainerState.Running).IsReady.ShouldBeTrue();
        Read("Running", [NotReady, ContainersNotReady], ContainerState.Running).IsReady.ShouldBeFalse();
        Read("Running", [], ContainerState.Running).IsReady.ShouldBeFalse();
        Read("Running", [Ready, ContainersReady], ContainerState.Running, deleting: true).ShouldSatisfyAllConditions(
            sandbox => sandbox.IsReady.ShouldBeFalse(), sandbox => sandbox.IsDeleting.ShouldBeTrue());
    }

    [Fact]
    public void A_pod_whose_node_has_gone_silent_is_cut_off_and_one_that_is_starting_is_not()
    {
        var silent = Read("Running", [NotReady, ContainersReady], ContainerState.Running);
        (silent.IsCutOff, silent.IsReady, silent.IsAlive).ShouldBe((true, false, true));
        silent.Message.ShouldBe("Node node1, on which it runs, has stopped reporting.");

        Read("Running", [NotReady, ContainersNotReady], ContainerState.Running).IsCutOff.ShouldBeFalse();
        Read("Running", [Ready, ContainersReady], ContainerState.Running).IsCutOff.ShouldBeFalse();
        Read("Pending", [], null).IsCutOff.ShouldBeFalse();
        Read("Unknown", [NotReady], ContainerState.Running).IsCutOff.ShouldBeTrue();
    }

    [Theory]
    [InlineData("Failed", "OOMKilled", 137, null, "Its container ended with exit code 137 (OOMKilled)")]
    [InlineData("Failed", "Error", 1, "no such\tfile\n\u001b[31m", "Its container ended with exit code 1 (Error): no such file [31m")]
    [InlineData("Failed", "StartError", 128, "failed to create containerd task", "Its container ended with exit code 128 (StartError): failed to create containerd task")]
    [InlineData("Running", "Error", 1, null, "Its container ended with exit code 1 (Error)")]
    public void A_container_that_has_ended_is_told_with_its_code_and_its_words_on_one_line(string phase, string reason, int exitCode, string? message, string expected) =>
        Read(phase, [], new ContainerState { TerminatedReason = reason, ExitCode = exitCode, TerminatedMessage = message }).Message.ShouldBe(expected);

    [Fact]
    public void What_is_said_of_the_pod_comes_before_what_its_container_says()
    {
        var ended = new ContainerState { TerminatedReason = "Error", ExitCode = 137 };
        Read("Failed", [], ended, reason: "Evicted", message: "The node was low on resource: memory. ").Message.ShouldBe("Evicted: The node was low on resource: memory.");
    }

    [Fact]
    public void Words_without_end_are_cut() =>
        Read("Failed", [], null, reason: "Evicted", message: new string('x', 5000)).Message!.Length.ShouldBeLessThan(1100);

    [Theory]
    [InlineData("manual", null, true)]
    [InlineData("warm", null, false)]
    [InlineData("allocated", "1700000000", true)]
    [InlineData("nonsense", null, true)]
    public void A_sandbox_counts_as_allocated_when_it_was_claimed_and_one_made_by_hand_at_its_creation(string status, string? allocatedAt, bool isAllocated)
    {
        var sandbox = Read("Running", [], null, labels: new() { ["pool-status"] = status }, annotations: allocatedAt is null ? [] : new() { ["allocated-at"] = allocatedAt });

        if (!isAllocated) sandbox.AllocatedAt.ShouldBeNull();
        else sandbox.AllocatedAt.ShouldBe(allocatedAt is null ? sandbox.CreatedAt : DateTimeOffset.FromUnixTimeSeconds(1700000000));
        sandbox.PoolStatus.ShouldBe(status switch { "warm" => PoolStatus.Warm, "allocated" => PoolStatus.Allocated, _ => PoolStatus.Manual });
    }

    [Theory]
    [InlineData("")]
    [InlineData("yesterday")]
    [InlineData("-5")]
    [InlineData("99999999999999999999")]
    [InlineData("999999999999999")]
    public void An_illegible_time_is_none_and_no_fault(string text)
    {
        var sandbox = Read("Running", [], null, annotations: new() { ["created-at"] = text, ["last-activity"] = text, ["allocated-at"] = text });

        sandbox.LastActivity.ShouldBeNull();
        sandbox.CreatedAt.ShouldBe(DateTimeOffset.UnixEpoch.AddYears(50));
    }

    private static Sandbox Read(
        string phase, PodCondition[] conditions, ContainerState? container, bool deleting = false, string? reason = null, string? message = null,
        Dictionary<string, string>? labels = null, Dictionary<string, string>? annotations = null) => SandboxReader.Read(new PodView
        {
            Name = "test-00000001",
            Uid = "uid",
            ResourceVersion = "1",
            CreationTimestamp = DateTimeOffset.UnixEpoch.AddYears(50),
            DeletionTimestamp = deleting ? DateTimeOffset.UnixEpoch.AddYears(51) : null,
            Labels = labels ?? [],
            Annotations = new Dictionary<string, string>(annotations ?? []) { ["template"] = "t1", ["nonce"] = "n" },
            NodeName = "node1",
            Phase = phase,
            Reason = reason,
            Message = message,
            Conditions = conditions,
            Container = container,
        });
}
