using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Kubernetes.Pods;

/// <summary>What a pod waits for, or why it ended, in the words of the scheduler and the node where they have any.</summary>
internal static class PodMessage
{
    // Part of these words can be the container's own (its termination message).
    private const int MaxLength = 1000;

    public static string Of(PodView pod, SandboxPhase phase, bool isCutOff)
    {
        var words = phase switch
        {
            _ when isCutOff => $"Node {pod.NodeName}, on which it runs, has stopped reporting.",
            SandboxPhase.Failed or SandboxPhase.Succeeded => WhyItEnded(pod),
            _ when pod.Container is { ExitCode: not null } => WhyItEnded(pod),
            SandboxPhase.Running => "Its container runs, and the pod is not Ready yet",
            _ => WhatItWaitsFor(pod),
        };
        return OneLine(words);
    }

    private static string WhyItEnded(PodView pod)
    {
        // Evicted, rejected by its node, ...: said of the pod, whatever became of the container.
        if (pod.Reason is not null) return Join(pod.Reason, pod.Message);
        if (pod.Container is not { ExitCode: { } exitCode } container) return pod.Message ?? "Its container has ended.";
        return container.TerminatedReason is "Completed" or null
            ? Join($"Its container ended with exit code {exitCode}", container.TerminatedMessage)
            : Join($"Its container ended with exit code {exitCode} ({container.TerminatedReason})", container.TerminatedMessage);
    }

    private static string WhatItWaitsFor(PodView pod)
    {
        if (pod.Conditions.FirstOrDefault(condition => condition is { Type: "PodScheduled", Status: "False" }) is { } scheduling)
            return scheduling.Reason == "Unschedulable" ? Join("It cannot be scheduled", scheduling.Message) : Join(scheduling.Reason ?? "It is not scheduled", scheduling.Message);
        if (pod.NodeName is null) return "Waiting to be scheduled";
        return pod.Container switch
        {
            // What a container that is about to be created says anyway.
            { WaitingReason: null or "ContainerCreating" or "PodInitializing" } => $"Node {pod.NodeName} is creating its container",
            { } container => Join(container.WaitingReason, container.WaitingMessage),
            null => $"Waiting for node {pod.NodeName}",
        };
    }

    private static string Join(string what, string? why) => string.IsNullOrWhiteSpace(why) ? what : $"{what}: {why}";

    /// <summary>Words that may be a sandbox's own, fit for a log.</summary>
    public static string OneLine(string words)
    {
        var line = string.Join(' ', words.Split([.. Enumerable.Range(0, 32).Select(code => (char)code), '\x7f', '\x85', '\u2028', '\u2029'], StringSplitOptions.RemoveEmptyEntries)).Trim();
        return line.Length <= MaxLength ? line : line[..MaxLength] + "...";
    }
}
