using System.Text.Json;
using System.Text.RegularExpressions;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes.Creation;

/// <summary>Environment and startup command of a sandbox.</summary>
internal static partial class StartRules
{
    /// <summary>What the executor is given; only to be used when <paramref name="errors"/> stayed empty.</summary>
    public static SandboxStart Check(CreateSandboxRequest request, FieldErrors errors)
    {
        CheckEnvironment(request.EnvironmentVariables, errors);
        CheckArguments("command", request.Command, errors);
        CheckArguments("args", request.Args, errors);

        var hasCommand = request.Command is { Count: > 0 };
        if (request.Args is { Count: > 0 } && !hasCommand) errors.Add("args", "Arguments need a command.");
        if (hasCommand && request.Command![0] is "") errors.Add("command", "The program's name is empty.");

        var start = new SandboxStart
        {
            Environment = request.EnvironmentVariables,
            Argv = hasCommand ? [.. request.Command!, .. request.Args ?? []] : null,
        };
        var bytes = JsonSerializer.SerializeToUtf8Bytes(start, ContractsJsonContext.Default.SandboxStart).Length;
        if (bytes > ExecutorProtocol.MaxStartBytes)
            errors.Add("environmentVariables", $"Environment, command and args together take {bytes} bytes as JSON; {ExecutorProtocol.MaxStartBytes} are allowed.");
        return start;
    }

    private static void CheckEnvironment(IReadOnlyDictionary<string, string>? environment, FieldErrors errors)
    {
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            var field = $"environmentVariables.{name}";
            if (!VariableName.IsMatch(name)) errors.Add(field, "The name does not match [A-Za-z_][A-Za-z0-9_]*.");
            if (value is null) errors.Add(field, "The value is null.");
            else if (value.Contains('\0', StringComparison.Ordinal)) errors.Add(field, "The value contains a NUL.");
        }
    }

    private static void CheckArguments(string field, IReadOnlyList<string>? arguments, FieldErrors errors)
    {
        for (var i = 0; i < (arguments?.Count ?? 0); i++)
        {
            if (arguments![i] is null) errors.Add($"{field}[{i}]", "The argument is null.");
            else if (arguments[i].Contains('\0', StringComparison.Ordinal)) errors.Add($"{field}[{i}]", "The argument contains a NUL.");
        }
    }

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]*\z")]
    private static partial Regex VariableName { get; }
}
