using System.Globalization;
using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Kubernetes.Pods;

/// <summary>The annotations of our pods, without the prefix that all have: what there is to know of a sandbox is in its pod.</summary>
internal static class PodKeys
{
    /// <summary>Cheaper than all pods of the namespace, but anyone may use that label: the annotation decides.</summary>
    public const string Selector = $"{SandboxLabels.ManagedBy}={SandboxLabels.Manager}";

    /// <summary>Hash of image, resources and spec. The pods that have it are ours, and no others.</summary>
    public const string Template = "template";

    public const string Nonce = "nonce";
    public const string CreatedAt = "created-at";
    public const string AllocatedAt = "allocated-at";
    public const string LastActivity = "last-activity";

    /// <summary>The user id as given; the label of that name has its hash.</summary>
    public const string AllocatedTo = "allocated-to";

    public const string ClaimId = "claim-id";
    public const string LifetimeSeconds = "lifetime-seconds";
    public const string Epoch = "epoch";

    /// <summary>Times are unix seconds.</summary>
    public static string Format(DateTimeOffset time) => time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

    public static string Format(TimeSpan time) => ((long)time.TotalSeconds).ToString(CultureInfo.InvariantCulture);

    public static string Format(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A time that somebody has made illegible is none.</summary>
    public static DateTimeOffset? ReadTime(this IReadOnlyDictionary<string, string> annotations, string key) =>
        long.TryParse(annotations.GetValueOrDefault(key), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= MaxSeconds
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;

    /// <summary>A number that somebody has made illegible is none.</summary>
    public static int? ReadNumber(this IReadOnlyDictionary<string, string> annotations, string key) =>
        int.TryParse(annotations.GetValueOrDefault(key), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static readonly long MaxSeconds = DateTimeOffset.MaxValue.ToUnixTimeSeconds();
}
