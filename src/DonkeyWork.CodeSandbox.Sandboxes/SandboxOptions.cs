using System.ComponentModel.DataAnnotations;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>What an operator can set about sandboxes on every backend: the section <c>KataContainerManager</c>.</summary>
public record SandboxOptions
{
    /// <summary>First part of every sandbox's name; a DNS label of at most 54 characters (RFC 1123).</summary>
    [RegularExpression("[a-z0-9]([-a-z0-9]{0,52}[a-z0-9])?", ErrorMessage = "must be a DNS label of at most 54 characters: a-z, 0-9 and -, beginning and ending with a letter or digit")]
    public string PodNamePrefix { get; init; } = "kata-sandbox";

    /// <summary>The image of every sandbox on a cluster; an image reference.</summary>
    public string DefaultImage { get; init; } = "donkeywork/codesandbox-executor:latest";

    /// <summary>What a sandbox is promised when the caller does not say.</summary>
    public QuantityOptions DefaultResourceRequests { get; init; } = new() { MemoryMi = 128, CpuMillicores = 250 };

    /// <summary>What a sandbox may use when the caller does not say.</summary>
    public QuantityOptions DefaultResourceLimits { get; init; } = new() { MemoryMi = 512, CpuMillicores = 1000 };

    /// <summary>What no caller may exceed.</summary>
    public QuantityOptions MaxResourceLimits { get; init; } = new() { MemoryMi = 4096, CpuMillicores = 4000 };

    /// <summary>Seconds a sandbox has to become ready; also how long a silent executor is given.</summary>
    [Range(30, 300)]
    public int PodReadyTimeoutSeconds { get; init; } = 90;

    /// <summary>How many sandboxes there may be, the pool's included.</summary>
    [Range(1, 10_000)]
    public int MaxTotalContainers { get; init; } = 50;

    /// <summary>Whether what is left of ended sandboxes is removed.</summary>
    public bool CleanupCompletedPods { get; init; } = true;

    /// <summary>Minutes between sweeps.</summary>
    [Range(1, 60)]
    public int CleanupCheckIntervalMinutes { get; init; } = 1;

    /// <summary>Minutes without use after which a sandbox goes.</summary>
    [Range(1, 1440)]
    public int IdleTimeoutMinutes { get; init; } = 5;

    /// <summary>Minutes after which a sandbox goes, used or not.</summary>
    [Range(1, 1440)]
    public int MaxContainerLifetimeMinutes { get; init; } = 15;

    /// <summary>How many sandboxes wait ready for a claim.</summary>
    [Range(0, 100)]
    public int WarmPoolSize { get; init; } = 10;

    /// <summary>Seconds between looks at the pool where nothing has told of a change: the safety net.</summary>
    [Range(10, 300)]
    public int PoolBackfillCheckIntervalSeconds { get; init; } = 30;

    /// <summary>How many sandboxes of the pool are asked for at once.</summary>
    [Range(1, 50)]
    public int PoolCreateConcurrency { get; init; } = 2;

    /// <summary>
    /// What beside its resources makes one sandbox like the next: goes into every <see cref="SandboxSpec.Template"/>. A
    /// backend whose sandboxes have more to their shape than an image adds it.
    /// </summary>
    public virtual string Shape => DefaultImage;
}

/// <summary>Memory and CPU in the configuration.</summary>
public sealed record QuantityOptions
{
    /// <summary>Memory in MiB.</summary>
    [Range(1, 1_048_576)]
    public int MemoryMi { get; init; }

    /// <summary>CPU in thousandths of a core.</summary>
    [Range(1, 1_024_000)]
    public int CpuMillicores { get; init; }

    /// <summary>The same on the wire.</summary>
    public ResourceQuantities ToQuantities() => new() { MemoryMi = MemoryMi, CpuMillicores = CpuMillicores };
}
