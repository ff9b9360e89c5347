using System.Security.Cryptography;
using System.Text;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes.Creation;

/// <summary>Turns a request into complete specs. Nothing a caller sent reaches a backend but through here.</summary>
internal sealed class SandboxPlanner(SandboxOptions options, SandboxTokens tokens, TimeProvider clock)
{
    /// <summary>Validates a request; the result makes a spec of each name tried.</summary>
    /// <exception cref="InvalidSandboxException">Fields are wrong; all are named.</exception>
    public Func<string, SandboxSpec> Plan(CreateSandboxRequest request)
    {
        var errors = new FieldErrors();
        LabelRules.Check(request.Labels, errors);
        var start = StartRules.Check(request, errors);
        var resources = ResourceRules.Check(request.Resources, options, errors);
        errors.ThrowIfAny();

        var labels = new Dictionary<string, string>(request.Labels ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        foreach (var (key, value) in SandboxLabels.OfManual) labels[key] = value;
        var template = TemplateOf(resources);

        return name =>
        {
            var nonce = SandboxTokens.NewNonce();
            return new SandboxSpec
            {
                Name = name,
                Nonce = nonce,
                TokenHash = SandboxTokens.HashOf(tokens.TokenOf(name, nonce)),
                PoolStatus = PoolStatus.Manual,
                Labels = labels,
                Resources = resources,
                Start = start,
                CreatedAt = clock.GetUtcNow(),
                Template = template,
            };
        };
    }

    private string TemplateOf(ResourceRequirements resources)
    {
        var (requests, limits) = (resources.Requests!, resources.Limits!);
        var text = $"{options.Shape}\n{requests.MemoryMi} {requests.CpuMillicores}\n{limits.MemoryMi} {limits.CpuMillicores}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }
}
