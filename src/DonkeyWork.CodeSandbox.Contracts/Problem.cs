using System.Text.Json.Serialization;

namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>An error as RFC 9457 <c>application/problem+json</c>.</summary>
public sealed record Problem
{
    /// <summary>The media type.</summary>
    public const string MediaType = "application/problem+json";

    /// <summary>A URI of the kind of problem.</summary>
    public string? Type { get; init; }

    /// <summary>The kind in words.</summary>
    public string? Title { get; init; }

    /// <summary>The HTTP status.</summary>
    public int? Status { get; init; }

    /// <summary>What happened and what to do.</summary>
    public string? Detail { get; init; }

    /// <summary>A word that never changes, such as <c>sandbox_not_found</c>.</summary>
    public string? Code { get; init; }

    /// <summary>Of <c>invalid_request</c>: what is wrong, by field.</summary>
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }

    /// <summary>Of a failed delete: <see langword="false"/>.</summary>
    public bool? Success { get; init; }

    /// <summary>Of a failed delete: in words.</summary>
    public string? Message { get; init; }

    /// <summary>Of a failed delete: the name asked for.</summary>
    public string? PodName { get; init; }

    /// <summary>Of <c>stdin_gap</c>: how many bytes of standard input were taken so far.</summary>
    public long? Offset { get; init; }

    /// <summary>Of <c>bad_archive</c>: how many entries were unpacked.</summary>
    public int? Unpacked { get; init; }
}
