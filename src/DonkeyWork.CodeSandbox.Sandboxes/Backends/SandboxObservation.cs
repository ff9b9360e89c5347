namespace DonkeyWork.CodeSandbox.Sandboxes.Backends;

/// <summary>What a watch tells.</summary>
public abstract record SandboxObservation;

/// <summary>All there is. What is not in it is gone.</summary>
public sealed record SandboxListed(IReadOnlyList<Sandbox> Sandboxes) : SandboxObservation;

/// <summary>A sandbox is new or has changed.</summary>
public sealed record SandboxChanged(Sandbox Sandbox) : SandboxObservation;

/// <summary>A sandbox is gone; this was its last state.</summary>
public sealed record SandboxGone(Sandbox Sandbox) : SandboxObservation;

/// <summary>The backend cannot be reached; the view is as old as <paramref name="Since"/>. Ended by a <see cref="SandboxListed"/>.</summary>
public sealed record BackendLost(DateTimeOffset Since, string Reason) : SandboxObservation;
