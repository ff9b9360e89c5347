using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Testing.Backends;

/// <summary>What tests do with any backend.</summary>
public static class BackendActions
{
    /// <summary>Creates a sandbox and waits until it is ready, or fails with its message.</summary>
    public static async Task<Sandbox> CreateReadyAsync(this ISandboxBackend backend, SandboxSpec? spec = null)
    {
        var created = await backend.CreateAsync(spec ?? Specs.New(), CancellationToken.None);
        var ready = await backend.UntilAsync(created.Name, sandbox => sandbox is { IsReady: true } or { Phase: SandboxPhase.Failed });
        ready.ShouldNotBeNull().Phase.ShouldBe(SandboxPhase.Running, ready.Message);
        return ready;
    }

    /// <summary>Deletes a sandbox and waits until it is gone.</summary>
    public static async Task DeleteGoneAsync(this ISandboxBackend backend, Sandbox sandbox)
    {
        await backend.DeleteAsync(sandbox, DeleteCondition.SameUid, CancellationToken.None);
        (await backend.UntilAsync(sandbox.Name, state => state is null)).ShouldBeNull();
    }

    /// <summary>Watches until one sandbox is (or, <see langword="null"/>, is not) as wanted.</summary>
    public static async Task<Sandbox?> UntilAsync(this ISandboxBackend backend, string name, Predicate<Sandbox?> wanted)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        Sandbox? last = null;
        try
        {
            await foreach (var observation in backend.WatchAsync(limit.Token))
            {
                switch (observation)
                {
                    case SandboxListed listed:
                        last = listed.Sandboxes.SingleOrDefault(sandbox => sandbox.Name == name);
                        break;
                    case SandboxChanged { Sandbox: var changed } when changed.Name == name:
                        last = changed;
                        break;
                    case SandboxGone { Sandbox: var gone } when gone.Name == name:
                        last = null;
                        break;
                    default:
                        continue;
                }

                if (wanted(last))
                    return last;
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{name} stayed as it is: {last}");
        }

        throw new InvalidOperationException("The watch has ended by itself.");
    }

    /// <summary>Asks a sandbox's executor.</summary>
    public static async Task<(int Status, string Body)> AskAsync(
        this ISandboxBackend backend, Sandbox sandbox, HttpMethod method, string path, string? json = null, bool withToken = true)
    {
        var endpoint = backend.Connect(sandbox);
        using var request = new HttpRequestMessage(method, new Uri(endpoint.BaseAddress, path));
        if (withToken)
            request.Headers.Add(ExecutorProtocol.TokenHeader, Specs.TokenOf(sandbox));
        if (json is not null)
            request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        using var limit = new CancellationTokenSource(Patience.Limit);
        using var response = await endpoint.Http.SendAsync(request, limit.Token);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(limit.Token));
    }

    /// <summary>Runs a command in a sandbox: its exit code, reason, and output with standard error in it.</summary>
    public static async Task<(int ExitCode, CompletionReason? Reason, string Output)> RunAsync(this ISandboxBackend backend, Sandbox sandbox, string command)
    {
        var request = JsonSerializer.Serialize(new ExecuteRequest { Command = command, TimeoutSeconds = 60 }, ContractsJsonContext.Default.ExecuteRequest);
        var (status, body) = await backend.AskAsync(sandbox, HttpMethod.Post, "api/execute", request);
        status.ShouldBe(200, body);
        var events = body.Split('\n')
            .Where(line => line.StartsWith("data: ", StringComparison.Ordinal))
            .Select(line => JsonSerializer.Deserialize(line["data: ".Length..], ContractsJsonContext.Default.ExecutionEvent)!)
            .ToList();
        var completed = events[^1].ShouldBeOfType<CompletedEvent>();
        return (completed.ExitCode, completed.Reason, string.Concat(events.OfType<OutputEvent>().Select(line => line.Partial ? line.Data : line.Data + "\n")));
    }
}
