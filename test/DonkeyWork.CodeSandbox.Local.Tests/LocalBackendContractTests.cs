using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>The contract, with real containers.</summary>
public sealed class LocalBackendContractTests(LocalMachine machine) : SandboxBackendContract, IClassFixture<LocalMachine>
{
    protected override ISandboxBackend Backend => machine.Backend;
}
