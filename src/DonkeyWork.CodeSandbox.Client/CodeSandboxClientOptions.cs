using System.Text;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>The options of a <see cref="CodeSandboxClient"/>.</summary>
public sealed record CodeSandboxClientOptions : ConnectionOptions
{
    /// <summary>
    /// The Manager's key, where it asks for one. It travels as <c>Authorization: Bearer</c>, the one header that
    /// <see cref="HttpClient"/> takes off when a handler of the caller's follows a redirect.
    /// </summary>
    public string? ApiKey { get; init; }

    /// <summary>The longest time that disposing spends on deleting a sandbox. Default 10 s.</summary>
    public TimeSpan CleanupTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What <c>ToString</c> shows: not the key, which must not reach a log that way.</summary>
    /// <param name="builder">Takes it.</param>
    protected override bool PrintMembers(StringBuilder builder)
    {
        base.PrintMembers(builder);
        builder.Append(", ApiKey = ").Append(ApiKey is null ? "none" : "set").Append(", CleanupTimeout = ").Append(CleanupTimeout);
        return true;
    }
}
