using System.Security.Cryptography;
using System.Text;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes.Creation;

/// <summary>Turns requests into complete specs. Nothing a caller sent reaches a backend but through here.</summary>
internal sealed class SandboxPlanner
{
    private readonly SandboxOptions _options;
    private readonly SandboxTokens _tokens;
    private readonly TimeProvider _clock;
    private readonly ResourceRequirements _defaults;

    public SandboxPlanner(SandboxOptions options, SandboxTokens tokens, TimeProvider clock)
    {
        _options = options;
        _tokens = tokens;
        _clock = clock;
        _defaults = ResourceRules.Check(null, options, new FieldErrors());
        PoolTemplate = TemplateOf(_defaults);
    }

    /// <summary>The template of the pool's sandboxes: one of the pool that has another is outdated.</summary>
    public string PoolTemplate { get; }

    /// <summary>Validates a request.</summary>
    /// <exception cref="InvalidSandboxException">Fields are wrong; all are named.</exception>
    public SandboxPlan Plan(CreateSandboxRequest request)
    {
        var errors = new FieldErrors();
        LabelRules.Check(request.Labels, errors);
        var start = StartRules.Check(request, errors);
        var resources = ResourceRules.Check(request.Resources, _options, errors);
        errors.ThrowIfAny();
        return new SandboxPlan
        {
            PoolStatus = PoolStatus.Manual,
            Labels = LabelsOf(PoolStatus.Manual, request.Labels),
            Resources = resources,
            Start = start,
            Template = TemplateOf(resources),
        };
    }

    /// <summary>One for the pool.</summary>
    public SandboxPlan PlanWarm(int epoch) => new()
    {
        PoolStatus = PoolStatus.Warm,
        Epoch = epoch,
        Labels = LabelsOf(PoolStatus.Warm, null),
        Resources = _defaults,
        Start = new SandboxStart(),
        Template = PoolTemplate,
    };

    /// <summary>What a claim would have got of the pool.</summary>
    public SandboxPlan PlanAllocated(Claim claim)
    {
        var labels = LabelsOf(PoolStatus.Allocated, claim.Labels);
        labels[SandboxLabels.AllocatedTo] = SandboxLabels.OwnerValue(claim.Owner);
        return new SandboxPlan
        {
            PoolStatus = PoolStatus.Allocated,
            Owner = claim.Owner,
            ClaimId = claim.ClaimId,
            Lifetime = claim.Lifetime,
            Labels = labels,
            Resources = _defaults,
            Start = new SandboxStart { Environment = claim.Environment, Owner = claim.ClaimId is null ? null : claim.Owner, ClaimId = claim.ClaimId },
            Template = PoolTemplate,
        };
    }

    /// <summary>The spec under one name, with a nonce of its own.</summary>
    public SandboxSpec SpecOf(SandboxPlan plan, string name)
    {
        var nonce = SandboxTokens.NewNonce();
        return new SandboxSpec
        {
            Name = name,
            Nonce = nonce,
            TokenHash = SandboxTokens.HashOf(_tokens.TokenOf(name, nonce)),
            PoolStatus = plan.PoolStatus,
            Owner = plan.Owner,
            ClaimId = plan.ClaimId,
            Lifetime = plan.Lifetime,
            Epoch = plan.Epoch,
            Labels = plan.Labels,
            Resources = plan.Resources,
            Start = plan.Start,
            CreatedAt = _clock.GetUtcNow(),
            Template = plan.Template,
        };
    }

    private static Dictionary<string, string> LabelsOf(PoolStatus status, IReadOnlyDictionary<string, string>? asked)
    {
        var labels = new Dictionary<string, string>(asked ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        foreach (var (key, value) in SandboxLabels.OfManual) labels[key] = value;
        labels[SandboxLabels.PoolStatus] = SandboxLabels.PoolStatusValue(status);
        return labels;
    }

    private string TemplateOf(ResourceRequirements resources)
    {
        var (requests, limits) = (resources.Requests!, resources.Limits!);
        // What was made with another secret refuses this one's tokens: it is outdated, too.
        var text = $"{_tokens.TokenOf("template", "")}\n{_options.Shape}\n{requests.MemoryMi} {requests.CpuMillicores}\n{limits.MemoryMi} {limits.CpuMillicores}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }
}
