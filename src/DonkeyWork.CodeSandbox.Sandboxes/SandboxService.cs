using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Creation;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;
using DonkeyWork.CodeSandbox.Sandboxes.Expiry;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>What can be done with sandboxes as a whole: create, find, list, delete.</summary>
public sealed partial class SandboxService(
    ISandboxBackend backend,
    SandboxRegistry registry,
    SandboxTokens tokens,
    OwnedTasks tasks,
    SandboxOptions options,
    TimeProvider clock,
    ILogger<SandboxService> logger,
    ISandboxLimit? backendLimit = null)
{
    private readonly SandboxNames _names = new(options);
    private readonly SandboxPlanner _planner = new(options, tokens, clock);
    private readonly ExecutorHealth _health = new(backend, clock);
    private readonly ActivityWriter _activity = new(registry, backend);
    private readonly ExpiryRules _rules = new(options);
}
