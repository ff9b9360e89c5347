using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

internal sealed record ObjectMetadata(string? Name, string? Uid, string? ResourceVersion, DateTimeOffset? CreationTimestamp);

/// <summary>A lease as the API server writes it.</summary>
internal sealed record LeaseDocument(ObjectMetadata? Metadata, LeaseSpec? Spec)
{
    public static Lease Read(ref Utf8JsonReader reader)
    {
        var document = JsonSerializer.Deserialize(ref reader, WireJsonContext.Default.LeaseDocument)!;
        return new Lease(document.Metadata?.Name ?? "", document.Metadata?.Uid ?? "", document.Metadata?.ResourceVersion ?? "", document.Spec ?? new LeaseSpec());
    }
}

/// <summary>A resource quota as the API server writes it.</summary>
internal sealed record ResourceQuotaDocument(ObjectMetadata? Metadata, QuotaSpec? Spec, QuotaStatus? Status)
{
    public static ResourceQuota Read(ref Utf8JsonReader reader)
    {
        var document = JsonSerializer.Deserialize(ref reader, WireJsonContext.Default.ResourceQuotaDocument)!;
        return new ResourceQuota
        {
            Name = document.Metadata?.Name ?? "",
            Uid = document.Metadata?.Uid ?? "",
            ResourceVersion = document.Metadata?.ResourceVersion ?? "",
            CreationTimestamp = document.Metadata?.CreationTimestamp ?? default,
            Hard = document.Spec?.Hard ?? PodView.Empty,
            EnforcedHard = document.Status?.Hard ?? PodView.Empty,
            Used = document.Status?.Used ?? PodView.Empty,
            IsScoped = document.Spec is { Scopes.Count: > 0 } or { ScopeSelector: not null },
        };
    }
}

internal sealed record QuotaSpec(IReadOnlyDictionary<string, string>? Hard, IReadOnlyList<string>? Scopes, JsonElement? ScopeSelector);

internal sealed record QuotaStatus(IReadOnlyDictionary<string, string>? Hard, IReadOnlyDictionary<string, string>? Used);
