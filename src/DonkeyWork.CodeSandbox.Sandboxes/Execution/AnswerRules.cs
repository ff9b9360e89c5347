using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>Which answers of an executor are answers. All others are an error: what a sandbox says is nobody's to act on.</summary>
internal static class AnswerRules
{
    /// <summary>Checks status and content type.</summary>
    /// <returns>The content type as we write it; <see langword="null"/> where there is no body.</returns>
    /// <exception cref="SandboxException"><see cref="ErrorCodes.ExecutorError"/>.</exception>
    public static string? Check(string name, ExecutorRequest request, HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        if (status == 401) throw SandboxException.TokenRefused(name);
        if (!IsExpected(status, request)) throw SandboxException.ExecutorError(name, $"status {status}");
        if (status != 101) return TypeOf(name, request, response);
        return WebSocketHandshake.IsAnsweredBy(response) ? null : throw SandboxException.ExecutorError(name, "something other than a WebSocket");
    }

    private static bool IsExpected(int status, ExecutorRequest request) => status switch
    {
        101 => request.AsksForWebSocket,
        200 or 201 or 204 or 206 => !request.AsksForWebSocket,
        304 => request.MayBeUnmodified,
        _ => status is >= 400 and < 600,
    };

    private static string? TypeOf(string name, ExecutorRequest request, HttpResponseMessage response)
    {
        // NonValidated: the header is the sandbox's, and parsing is not worth a fault.
        if (!response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var values))
            return HasNoBody(request, response) ? null : throw SandboxException.ExecutorError(name, "a body of no content type");
        var type = values.ToString().Split(';')[0].Trim();
        return request.ResponseTypes.Append(Problem.MediaType).FirstOrDefault(known => known.Equals(type, StringComparison.OrdinalIgnoreCase))
            ?? throw SandboxException.ExecutorError(name, "a content type that is not expected");
    }

    private static bool HasNoBody(ExecutorRequest request, HttpResponseMessage response) =>
        request.Method == HttpMethod.Head || (int)response.StatusCode is 204 or 304 || response.Content.Headers.ContentLength == 0;
}
