namespace DonkeyWork.CodeSandbox.Sandboxes.Backends;

/// <summary>
/// An ability of backends that hold a limit themselves, for any number of Managers at once. What a Manager counts by itself
/// is then only the cheaper refusal.
/// </summary>
public interface ISandboxLimit
{
    /// <summary>The limit as last seen; <see langword="null"/>: none is known.</summary>
    SandboxLimit? Limit { get; }
}

/// <summary>How many sandboxes there may be, by whose word.</summary>
/// <param name="Count">The number, 0 or more.</param>
/// <param name="Source">Who says so, such as <c>ResourceQuota sandboxes</c>.</param>
public sealed record SandboxLimit(int Count, string Source);
