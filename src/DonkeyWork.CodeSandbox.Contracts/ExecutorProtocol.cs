namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>What the executor of a sandbox is asked for beside commands.</summary>
public static class ExecutorProtocol
{
    /// <summary>The executor's TCP port.</summary>
    public const int DefaultPort = 8666;

    /// <summary>The header that carries the sandbox's token; not Authorization, which the API server's pod proxy removes.</summary>
    public const string TokenHeader = "X-Sandbox-Token";

    /// <summary>
    /// The header that carries a WebSocket request's query, <c>?</c> included, a second time: the pod proxy of API servers that are
    /// not new loses the query of a request that is upgraded. It counts where there is no query.
    /// </summary>
    public const string QueryHeader = "X-Sandbox-Query";

    /// <summary>
    /// The header that says <c>true</c> on a <c>409 already_claimed</c> where the executor was opened by the very claim that
    /// is made again: the same owner and the same id.
    /// </summary>
    public const string SameClaimHeader = "X-Sandbox-Same-Claim";

    /// <summary>The environment variable with the token's SHA-256 in lower-case hex. Without it no token is asked for.</summary>
    public const string TokenHashVariable = "CODESANDBOX_TOKEN_SHA256";

    /// <summary>The environment variable with a <see cref="SandboxStart"/> as JSON, at most <see cref="MaxStartBytes"/>.</summary>
    public const string StartVariable = "CODESANDBOX_START";

    /// <summary>The environment variable that, set to <c>1</c>, starts the executor closed until it is claimed.</summary>
    public const string PoolVariable = "CODESANDBOX_POOL";

    /// <summary>The largest value of <see cref="StartVariable"/> in bytes.</summary>
    public const int MaxStartBytes = 65_536;
}

/// <summary>What a sandbox is given at its creation, in <see cref="ExecutorProtocol.StartVariable"/>.</summary>
public sealed record SandboxStart
{
    /// <summary>What every command finds in its environment.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>Started once, in the background, as the execution <c>startup</c>.</summary>
    public IReadOnlyList<string>? Argv { get; init; }

    /// <summary>The user id of the claim that it was created for, where that has an id.</summary>
    public string? Owner { get; init; }

    /// <summary>The id of the claim that it was created for.</summary>
    public string? ClaimId { get; init; }
}

/// <summary>The body of <c>POST /api/claim</c>.</summary>
public sealed record ClaimRequest
{
    /// <summary>Added to what every command finds in its environment.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>The user id.</summary>
    public string? Owner { get; init; }

    /// <summary>The claim's id, where the caller gave one.</summary>
    public string? ClaimId { get; init; }
}

/// <summary>The answer of <c>POST /api/claim</c>: an empty object.</summary>
public sealed record ClaimResponse;

/// <summary>The answer of <c>GET /api/stats</c>.</summary>
public sealed record ExecutorStats
{
    /// <summary>How many commands run.</summary>
    public required int Running { get; init; }

    /// <summary>How many responses are being streamed.</summary>
    public required int OpenStreams { get; init; }

    /// <summary>When a command last started, printed or ended.</summary>
    public DateTimeOffset? LastActivity { get; init; }

    /// <summary>How the executor was built, such as <c>native-aot net10.0</c>.</summary>
    public required string Flavour { get; init; }
}
