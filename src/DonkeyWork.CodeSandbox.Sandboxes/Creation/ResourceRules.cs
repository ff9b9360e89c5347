using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes.Creation;

/// <summary>Fills in what the caller left out, field by field, and only then compares.</summary>
internal static class ResourceRules
{
    /// <summary>Requests and limits with every field set; only to be used when <paramref name="errors"/> stayed empty.</summary>
    public static ResourceRequirements Check(ResourceRequirements? asked, SandboxOptions options, FieldErrors errors)
    {
        var memory = Check(
            "memoryMi",
            asked?.Requests?.MemoryMi, asked?.Limits?.MemoryMi,
            options.DefaultResourceRequests.MemoryMi, options.DefaultResourceLimits.MemoryMi, options.MaxResourceLimits.MemoryMi,
            errors);
        var cpu = Check(
            "cpuMillicores",
            asked?.Requests?.CpuMillicores, asked?.Limits?.CpuMillicores,
            options.DefaultResourceRequests.CpuMillicores, options.DefaultResourceLimits.CpuMillicores, options.MaxResourceLimits.CpuMillicores,
            errors);
        return new ResourceRequirements
        {
            Requests = new ResourceQuantities { MemoryMi = memory.Request, CpuMillicores = cpu.Request },
            Limits = new ResourceQuantities { MemoryMi = memory.Limit, CpuMillicores = cpu.Limit },
        };
    }

    private static (int Request, int Limit) Check(
        string quantity, int? askedRequest, int? askedLimit, int defaultRequest, int defaultLimit, int max, FieldErrors errors)
    {
        var requestField = $"resources.requests.{quantity}";
        var limitField = $"resources.limits.{quantity}";
        var request = askedRequest ?? defaultRequest;
        var limit = askedLimit ?? Math.Max(defaultLimit, request);

        if (request < 1) errors.Add(requestField, "Must be at least 1.");
        if (limit < 1) errors.Add(limitField, "Must be at least 1.");
        else if (limit < request) errors.Add(limitField, askedRequest is null
            ? $"{limit} is below the request, which is {request} by default."
            : $"{limit} is below the request of {request}.");
        else if (limit > max) errors.Add(askedLimit is null ? requestField : limitField, $"{limit} is above the maximum of {max}.");
        return (request, limit);
    }
}
