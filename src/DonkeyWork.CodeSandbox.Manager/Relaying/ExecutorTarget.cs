using System.Text.RegularExpressions;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes;

namespace DonkeyWork.CodeSandbox.Manager.Relaying;

/// <summary>Where at the executor a request goes. Nothing that a caller writes leads out of <c>api/</c>, or to another route in it.</summary>
internal static partial class ExecutorTarget
{
    /// <param name="pattern">The route's.</param>
    /// <param name="executionId">What stands in the place of <c>{eid}</c>.</param>
    /// <param name="query">What the caller asks, which is escaped anew.</param>
    /// <exception cref="SandboxException"><see cref="ErrorCodes.ExecutionNotFound"/>: this can be no execution's id.</exception>
    public static string Of(string pattern, string? executionId, IQueryCollection query)
    {
        if (executionId is not null && !ExecutionId().IsMatch(executionId))
            throw new SandboxException(ErrorCodes.ExecutionNotFound, "There is no such execution; an id is [A-Za-z0-9][A-Za-z0-9._-]{0,63}.");
        var path = $"api/{pattern.Replace("{eid}", executionId, StringComparison.Ordinal)}";
        var parameters = query.SelectMany(parameter => parameter.Value.Select(value => $"{Uri.EscapeDataString(parameter.Key)}={Uri.EscapeDataString(value ?? "")}"));
        return query.Count == 0 ? path : $"{path}?{string.Join('&', parameters)}";
    }

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z")]
    private static partial Regex ExecutionId();
}
