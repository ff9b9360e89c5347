using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>A request that cannot be served; <see cref="Code"/> says why, in a word that never changes.</summary>
public class SandboxException(string code, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>One of <see cref="ErrorCodes"/>.</summary>
    public string Code { get; } = code;

    /// <summary>When it may be worth trying again, where that can be said.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>There is no such sandbox, or none any more, for <paramref name="why"/> where that is known.</summary>
    public static SandboxException NotFound(string name, string? why = null) =>
        new(ErrorCodes.SandboxNotFound, why is null ? $"There is no sandbox {name}. If there was one, it has been deleted, or has expired (expiresAt)." : $"Sandbox {name} has ended. {why}");

    /// <summary>The sandbox is still being created.</summary>
    public static SandboxException NotReady(string name) =>
        new(ErrorCodes.SandboxNotReady, $"Sandbox {name} is still being created.") { RetryAfter = TimeSpan.FromSeconds(1) };

    /// <summary>The sandbox waits in the pool.</summary>
    public static SandboxException NotClaimed(string name) => new(ErrorCodes.NotClaimed, $"Nobody has claimed sandbox {name} yet; allocate hands out one of the pool.");

    /// <summary>As many sandboxes exist, or are being created, as there may be.</summary>
    public static SandboxException LimitReached(SandboxLimit limit) =>
        LimitReached($"The limit of {limit.Count} {(limit.Count == 1 ? "sandbox" : "sandboxes")} ({limit.Source}) is reached; delete one first.");

    /// <summary>The same by the word of the backend.</summary>
    public static SandboxException LimitReached(string message, Exception? inner = null) =>
        new(ErrorCodes.LimitReached, message, inner) { RetryAfter = TimeSpan.FromSeconds(5) };

    /// <summary>No sandbox of the pool is to be had, for <paramref name="why"/>.</summary>
    public static SandboxException PoolExhausted(string why, TimeSpan retryAfter, Exception? inner = null) =>
        new(ErrorCodes.PoolExhausted, why, inner) { RetryAfter = retryAfter };

    /// <summary>The sandbox exists and its executor does not answer, for <paramref name="why"/> where that is known.</summary>
    public static SandboxException ExecutorUnreachable(string name, Exception? inner = null, string? why = null) =>
        new(ErrorCodes.ExecutorUnreachable, $"The executor of sandbox {name} does not answer.{(why is null ? "" : $" {why}")}", inner);

    /// <summary>Sandboxes of the pool are ready, and this Manager cannot open them, for <paramref name="why"/> at last.</summary>
    public static SandboxException PoolUnreachable(int count, string why) =>
        new(ErrorCodes.ExecutorUnreachable, $"{count} sandboxes of the pool in a row could not be opened. {why}");

    /// <summary>The executor knows another token than ours.</summary>
    public static SandboxException TokenRefused(string name) =>
        new(ErrorCodes.ExecutorError, $"The executor of sandbox {name} refuses this Manager: the sandbox was made with another secret.");

    /// <summary>The executor answered what it never should.</summary>
    public static SandboxException ExecutorError(string name, string what, Exception? inner = null) =>
        new(ErrorCodes.ExecutorError, $"The executor of sandbox {name} answered with {what}.", inner);
}

/// <summary>A request with wrong fields; all of them are named.</summary>
public sealed class InvalidSandboxException(IReadOnlyDictionary<string, string[]> errors)
    : SandboxException(ErrorCodes.InvalidRequest, string.Join(" ", errors.SelectMany(field => field.Value.Select(error => $"{field.Key}: {error}"))))
{
    /// <summary>What is wrong, by field.</summary>
    public IReadOnlyDictionary<string, string[]> Errors { get; } = errors;
}
