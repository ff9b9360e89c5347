using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Expiry;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>What callers may see of a sandbox.</summary>
public static class SandboxView
{
    extension(Sandbox sandbox)
    {
        /// <summary>Whether its executor has ended, or could not be started.</summary>
        public bool HasEnded => sandbox.Phase is SandboxPhase.Failed or SandboxPhase.Succeeded;

        /// <summary>Neither ended nor being deleted: only such sandboxes are listed, found and counted.</summary>
        public bool IsAlive => !sandbox.IsDeleting && !sandbox.HasEnded;

        /// <summary>Whether it takes commands.</summary>
        public bool AcceptsCommands => sandbox.IsAlive && sandbox.IsReady;

        /// <summary>When it was last used, as far as that is recorded, and no earlier than it got its owner.</summary>
        public DateTimeOffset LastUsed =>
            (sandbox.AllocatedAt ?? sandbox.CreatedAt) is var owned && sandbox.LastActivity is { } used && used > owned ? used : owned;

        /// <summary>The sandbox on the wire.</summary>
        /// <param name="rules">Say when it expires.</param>
        public SandboxInfo ToInfo(ExpiryRules rules) => new()
        {
            Name = sandbox.Name,
            Phase = sandbox.Phase.ToString(),
            IsReady = sandbox.AcceptsCommands,
            CreatedAt = sandbox.CreatedAt,
            LastActivity = sandbox.LastActivity,
            NodeName = sandbox.NodeName,
            PodIP = sandbox.Address,
            Labels = sandbox.Labels,
            Image = sandbox.Image,
            RuntimeClass = sandbox.RuntimeClass,
            PoolStatus = sandbox is { PoolStatus: PoolStatus.Warm, IsReady: false } ? PoolStatus.Creating : sandbox.PoolStatus,
            Owner = sandbox.Owner,
            ExpiresAt = rules.ExpiresAt(sandbox),
            Resources = sandbox.Resources,
            LimitsEnforced = sandbox.LimitsEnforced,
        };
    }
}
