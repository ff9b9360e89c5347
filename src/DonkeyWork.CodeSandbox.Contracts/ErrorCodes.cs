namespace DonkeyWork.CodeSandbox.Contracts;

/// <summary>The stable values of a problem's <c>code</c>.</summary>
public static class ErrorCodes
{
    /// <summary>400: the request is malformed or a field is wrong; <c>errors</c> names each.</summary>
    public const string InvalidRequest = "invalid_request";

    /// <summary>401: no key or token, or a wrong one.</summary>
    public const string Unauthorized = "unauthorized";

    /// <summary>403: a web page of another origin may not call.</summary>
    public const string OriginNotAllowed = "origin_not_allowed";

    /// <summary>403: the request's Host is not a name of this machine.</summary>
    public const string HostNotAllowed = "host_not_allowed";

    /// <summary>404: no such route, or no such file.</summary>
    public const string NotFound = "not_found";

    /// <summary>405: the route does not take this method.</summary>
    public const string MethodNotAllowed = "method_not_allowed";

    /// <summary>404: no such sandbox.</summary>
    public const string SandboxNotFound = "sandbox_not_found";

    /// <summary>409: the sandbox is still being created; try again after <c>Retry-After</c>.</summary>
    public const string SandboxNotReady = "sandbox_not_ready";

    /// <summary>409: nobody has claimed this executor yet.</summary>
    public const string NotClaimed = "not_claimed";

    /// <summary>409: this executor belongs to somebody.</summary>
    public const string AlreadyClaimed = "already_claimed";

    /// <summary>404: no execution of this id was ever started here.</summary>
    public const string ExecutionNotFound = "execution_not_found";

    /// <summary>410: it was deleted, and its id never starts again.</summary>
    public const string ExecutionDeleted = "execution_deleted";

    /// <summary>409: the id belongs to another command.</summary>
    public const string ExecutionExists = "execution_exists";

    /// <summary>409: it has ended, so nothing can be sent to it.</summary>
    public const string ExecutionExited = "execution_exited";

    /// <summary>429: the sandbox has started as many as it remembers.</summary>
    public const string TooManyExecutions = "too_many_executions";

    /// <summary>409: bytes of standard input are missing before this offset; <c>offset</c> says from where on.</summary>
    public const string StdinGap = "stdin_gap";

    /// <summary>409: standard input was not kept open, was closed, or nobody is left to read it.</summary>
    public const string StdinClosed = "stdin_closed";

    /// <summary>409: the execution has no terminal.</summary>
    public const string NotATerminal = "not_a_terminal";

    /// <summary>403: the sandbox user may not, or it is neither a regular file nor a directory.</summary>
    public const string Forbidden = "forbidden";

    /// <summary>409: the path, or a part of it, is no directory.</summary>
    public const string NotADirectory = "not_a_directory";

    /// <summary>409: the path is a directory.</summary>
    public const string IsADirectory = "is_a_directory";

    /// <summary>409: the directory has something in it; <c>recursive=true</c> deletes that too.</summary>
    public const string DirectoryNotEmpty = "directory_not_empty";

    /// <summary>409: a directory or a link is not moved to another file system; a command (<c>mv</c>) can.</summary>
    public const string OtherFileSystem = "other_file_system";

    /// <summary>409: something is there already.</summary>
    public const string Exists = "exists";

    /// <summary>412: <c>If-Match</c> or <c>If-None-Match</c> does not hold.</summary>
    public const string PreconditionFailed = "precondition_failed";

    /// <summary>416: the file has none of these bytes.</summary>
    public const string RangeNotSatisfiable = "range_not_satisfiable";

    /// <summary>400: the archive is broken, or has an entry that may not be; <c>unpacked</c> counts those before it.</summary>
    public const string BadArchive = "bad_archive";

    /// <summary>429: the sandbox watches as much as it may.</summary>
    public const string TooManyWatches = "too_many_watches";

    /// <summary>507: the sandbox's disk is full.</summary>
    public const string NoSpace = "no_space";

    /// <summary>413: the command does not fit into one argument.</summary>
    public const string CommandTooLong = "command_too_long";

    /// <summary>413: the body is larger than the route takes.</summary>
    public const string BodyTooLarge = "body_too_large";

    /// <summary>415: the body is not <c>application/json</c>.</summary>
    public const string UnsupportedMediaType = "unsupported_media_type";

    /// <summary>422 or 503: the command could not be started; <c>detail</c> says why.</summary>
    public const string StartFailed = "start_failed";

    /// <summary>429: the limit of sandboxes is reached.</summary>
    public const string LimitReached = "limit_reached";

    /// <summary>500: a defect of ours.</summary>
    public const string InternalError = "internal_error";

    /// <summary>502: the sandbox exists and its executor does not answer.</summary>
    public const string ExecutorUnreachable = "executor_unreachable";

    /// <summary>502: the executor answered what it never should.</summary>
    public const string ExecutorError = "executor_error";

    /// <summary>503: the backend cannot be reached or refuses.</summary>
    public const string BackendUnavailable = "backend_unavailable";

    /// <summary>503: no sandbox of the pool is free; try again after <c>Retry-After</c>, or ask with <c>waitSeconds</c> or <c>createIfExhausted</c>.</summary>
    public const string PoolExhausted = "pool_exhausted";

    /// <summary>503: the Manager is stopping; nothing came of the request.</summary>
    public const string Stopping = "stopping";

    /// <summary>503: the Manager stopped before it had an answer; what came of the request is unknown.</summary>
    public const string Interrupted = "interrupted";
}
