using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;
using DonkeyWork.CodeSandbox.Server.Http;
using DonkeyWork.CodeSandbox.Server.Posix;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>What is to run and how: a request that was found to be right.</summary>
internal sealed partial record ExecutionPlan
{
    private const string Shell = "/bin/bash";

    /// <summary>The caller's name for it.</summary>
    public string? Id { get; init; }

    /// <summary>The command, where it is one.</summary>
    public string? Command { get; init; }

    /// <summary>The argument array, where it is one.</summary>
    public IReadOnlyList<string>? Argv { get; init; }

    /// <summary>The process.</summary>
    public required ProcessStart Start { get; init; }

    /// <summary>When its tree is killed; <see langword="null"/>: never.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Whether standard input stays open.</summary>
    public bool Stdin { get; init; }

    /// <summary>A terminal in place of pipes.</summary>
    public TerminalSize? Pty { get; init; }

    /// <summary>How much of its output is kept, in bytes.</summary>
    public long KeepBytes { get; init; } = StartExecutionRequest.DefaultKeepOutputBytes;

    /// <summary>Whether it is held when more is printed than is kept.</summary>
    public bool Holds { get; init; }

    /// <summary>What two starts of one id must have in common: everything but the time limit, what is kept, and the size of a terminal, hashed.</summary>
    public byte[] Fingerprint { get; init; } = [];

    /// <summary>Checks a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="environment">What commands find.</param>
    /// <param name="streams">Whether the answer is to be the stream.</param>
    /// <exception cref="RequestException">With <c>invalid_request</c>, naming every wrong field, or <c>command_too_long</c>.</exception>
    public static ExecutionPlan From(StartExecutionRequest request, SandboxEnvironment environment, bool streams)
    {
        Validate(request);
        var variables = environment.For(request.Environment);
        var directory = request.WorkingDirectory ?? environment.HomeDirectory;
        var seconds = request.TimeoutSeconds
            ?? (request.Pty is null ? ExecuteRequest.DefaultTimeoutSeconds : ExecuteRequest.MaxTimeoutSeconds);
        return new ExecutionPlan
        {
            Id = request.Id,
            Command = request.Command,
            Argv = request.Argv,
            Start = request.Argv is { } argv
                ? new ProcessStart(Find(argv[0], variables["PATH"]), argv, variables, directory)
                : new ProcessStart(Shell, ["bash", "-c", request.Command!], variables, directory),
            Timeout = TimeSpan.FromSeconds(seconds),
            Stdin = request.Stdin ?? false,
            Pty = request.Pty,
            KeepBytes = Math.Max(request.KeepOutputBytes ?? StartExecutionRequest.DefaultKeepOutputBytes, OutputLog.MinKeepBytes),
            Holds = request.Overflow is { } overflow ? overflow == OverflowPolicy.Wait : streams,
            Fingerprint = Hash(request, directory),
        };
    }

    /// <summary>A name without a slash is looked for along PATH, as a shell does.</summary>
    private static string Find(string program, string path) =>
        program.Contains('/', StringComparison.Ordinal)
            ? program
            : path.Split(':').Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists) ?? program;

    private static byte[] Hash(StartExecutionRequest request, string directory)
    {
        var canonical = request with
        {
            Id = null,
            TimeoutSeconds = null,
            KeepOutputBytes = null,
            WorkingDirectory = directory,
            Pty = request.Pty is null ? null : new TerminalSize { Cols = 1, Rows = 1 },
            Stdin = request.Pty is not null || request.Stdin is true,
            Environment = new SortedDictionary<string, string>(
                request.Environment?.ToDictionary() ?? [], StringComparer.Ordinal),
        };
        return SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(canonical, ContractsJsonContext.Default.StartExecutionRequest));
    }

    private static void Validate(StartExecutionRequest request)
    {
        var errors = new Dictionary<string, string[]>();
        if (request.Id is not null && !IdPattern().IsMatch(request.Id))
            errors["id"] = ["must match [A-Za-z0-9][A-Za-z0-9._-]{0,63}"];
        if (request.Command is null == request.Argv is null)
            errors["command"] = [request.Command is null ? "is required, or argv" : "excludes argv"];
        if (HasNul(request.Command))
            errors["command"] = ["contains a NUL"];
        if (request.Argv is { } argv && (argv.Count == 0 || string.IsNullOrEmpty(argv[0]) || argv.Any(argument => argument is null || HasNul(argument))))
            errors["argv"] = ["must begin with a program, and have no null and no NUL"];
        if (request.TimeoutSeconds is < 1 or > ExecuteRequest.MaxTimeoutSeconds)
            errors["timeoutSeconds"] = [$"must be from 1 to {ExecuteRequest.MaxTimeoutSeconds}"];
        if (request.WorkingDirectory is { } directory && (directory.Length == 0 || HasNul(directory)))
            errors["workingDirectory"] = ["must be a path without a NUL"];
        if (SandboxEnvironment.Validate(request.Environment) is { Length: > 0 } faults)
            errors["environment"] = faults;
        if (request.Pty is { } size && TerminalFault(size) is { } fault)
            errors["pty"] = [fault];
        if (request.KeepOutputBytes is < 1 or > StartExecutionRequest.MaxKeepOutputBytes)
            errors["keepOutputBytes"] = [$"must be from 1 to {StartExecutionRequest.MaxKeepOutputBytes}"];
        if (request.Overflow is not (null or OverflowPolicy.Wait or OverflowPolicy.Drop))
            errors["overflow"] = ["must be wait or drop"];
        if (errors.Count > 0)
            throw Json.InvalidFields(errors);

        if ((request.Argv ?? [request.Command!]).Any(argument => Encoding.UTF8.GetByteCount(argument) > ExecuteRequest.MaxCommandBytes))
        {
            throw new RequestException(
                StatusCodes.Status413PayloadTooLarge,
                ErrorCodes.CommandTooLong,
                $"A command has at most {ExecuteRequest.MaxCommandBytes} bytes; write it to a file and run that.");
        }
    }

    /// <summary>What is wrong with a terminal's size, if anything is.</summary>
    public static string? TerminalFault(TerminalSize size) =>
        size.Cols is < 1 or > ushort.MaxValue || size.Rows is < 1 or > ushort.MaxValue
            ? $"cols and rows must be from 1 to {ushort.MaxValue}"
            : null;

    private static bool HasNul(string? text) => text?.Contains('\0', StringComparison.Ordinal) ?? false;

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex IdPattern();
}
