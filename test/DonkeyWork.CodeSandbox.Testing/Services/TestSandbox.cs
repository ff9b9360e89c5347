using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>A sandbox of a test's own, by plain HTTP, and what the host sees of it.</summary>
public sealed class TestSandbox : IAsyncDisposable
{
    private readonly TestService _service;

    private TestSandbox(TestService service, string name, string mark) => (_service, Name, Mark) = (service, name, mark);

    public string Name { get; }

    /// <summary>What its cgroups are called by.</summary>
    public string Mark { get; }

    public HttpClient Http => _service.Http;

    /// <summary>Its address, by the way that serves now.</summary>
    public Uri Address => new(_service.Way.Address, $"/api/kata/{Name}/");

    public HostProcess Executor => HostProcesses.ExecutorOf(Mark);

    /// <summary>Every process of it but the executor.</summary>
    public IReadOnlyList<HostProcess> Commands => HostProcesses.CommandsOf(Mark);

    internal static async Task<TestSandbox> CreateAsync(TestService service, object? limits)
    {
        object body = limits is null ? new { waitForReady = true } : new { waitForReady = true, resources = new { requests = limits, limits } };
        using var response = await service.Http.PostAsJsonAsync("/api/kata", body);
        var events = await response.Content.ReadAsStringAsync();
        response.StatusCode.ShouldBe(HttpStatusCode.OK, events);
        events.ShouldContain("\"eventType\":\"ready\"");
        var created = events.Split('\n').First(line => line.StartsWith("data: ", StringComparison.Ordinal))[6..];
        var name = JsonDocument.Parse(created).RootElement.GetProperty("podName").GetString()!;
        return new TestSandbox(service, name, await service.MarkOfAsync(name));
    }

    public Task<RawExecution> StartAsync(string command) => RawExecution.StartAsync(Http, Name, new { command });

    /// <summary>The same with any body.</summary>
    public Task<RawExecution> StartAsync(object start) => RawExecution.StartAsync(Http, Name, start);

    /// <summary>What a command prints, which ends well.</summary>
    public async Task<string> OutputOfAsync(string command)
    {
        var (output, exited) = await (await StartAsync(command)).ReadTextAsync();
        exited.GetProperty("exitCode").GetInt32().ShouldBe(0, output);
        return output;
    }

    /// <summary>Waits until nothing runs in it but these.</summary>
    public Task OnlyAsync(params HashSet<int> pids) => Patience.UntilAsync(
        () => Commands.Select(process => process.Pid).ToHashSet().SetEquals(pids),
        () => $"Expected {string.Join(' ', pids)}, found:\n{string.Join('\n', Commands)}");

    public async ValueTask DisposeAsync()
    {
        using var response = await Http.DeleteAsync($"/api/kata/{Name}");
        response.StatusCode.ShouldBeOneOf(HttpStatusCode.OK, HttpStatusCode.NotFound);
    }
}
