using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes.Creation;

/// <summary>A sandbox that the backend has accepted, and what becomes of it.</summary>
/// <param name="Sandbox">As it was accepted.</param>
/// <param name="Events">
/// <see cref="SandboxCreated"/> first, exactly one <see cref="SandboxReady"/> or <see cref="SandboxFailed"/> last. To be read once.
/// The creation goes on, and a failed one is deleted, whether anyone reads or not. Breaks with
/// <see cref="OperationCanceledException"/> when the host stops.
/// </param>
public sealed record SandboxCreation(Sandbox Sandbox, IAsyncEnumerable<CreationEvent> Events);
