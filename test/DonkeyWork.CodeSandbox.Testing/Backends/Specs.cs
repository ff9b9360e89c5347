using System.Security.Cryptography;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Testing.Backends;

/// <summary>Specifications as the service above a backend would give them, and the tokens that fit.</summary>
public static class Specs
{
    private static readonly SandboxTokens Tokens = new(RandomNumberGenerator.GetBytes(32));

    public static SandboxSpec New(
        PoolStatus poolStatus = PoolStatus.Manual, int memoryMi = 256, int cpuMillicores = 1000, SandboxStart? start = null)
    {
        var name = $"test-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        var nonce = SandboxTokens.NewNonce();
        return new SandboxSpec
        {
            Name = name,
            Nonce = nonce,
            TokenHash = SandboxTokens.HashOf(Tokens.TokenOf(name, nonce)),
            PoolStatus = poolStatus,
            Labels = new Dictionary<string, string> { ["team"] = "red" },
            Resources = new ResourceRequirements
            {
                Requests = new ResourceQuantities { MemoryMi = 64, CpuMillicores = 20 },
                Limits = new ResourceQuantities { MemoryMi = memoryMi, CpuMillicores = cpuMillicores },
            },
            Start = start ?? new SandboxStart(),
            CreatedAt = TimeProvider.System.GetUtcNow(),
            Template = "t1",
        };
    }

    public static string TokenOf(Sandbox sandbox) => Tokens.TokenOf(sandbox.Name, sandbox.Nonce);
}
