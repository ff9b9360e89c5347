using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Manager.Kata;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;

namespace DonkeyWork.CodeSandbox.Manager.Relaying;

/// <summary>Passes an executor's answer on to the caller, byte for byte as it comes.</summary>
internal static class RelayedResponse
{
    /// <exception cref="ExecutorLostException">It broke in the middle: the response must be aborted.</exception>
    public static async Task WriteAsync(HttpResponse response, ExecutorResponse executor, RelayedRoute? route, CancellationToken cancellationToken)
    {
        response.StatusCode = executor.Status;
        foreach (var (name, value) in executor.Headers) response.Headers[name] = value;
        if (response.ContentType is EventStream.MediaType or ExecutionEventNames.FramesMediaType) EventStream.SetUnbuffered(response);
        // Whatever a sandbox has made, no page of ours shows it: it is saved.
        if (route is { IsFile: true } && executor.Status < 300) response.Headers.ContentDisposition = "attachment";
        // The headers say that the command runs, however long it prints nothing.
        await response.Body.FlushAsync(cancellationToken);
        await executor.CopyToAsync(new CallerStream(response.BodyWriter), cancellationToken);
    }
}
