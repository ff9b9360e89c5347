using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Tests.Running;

/// <summary>All that the events of an execution said.</summary>
internal sealed record ReadOutput(byte[] Stdout, byte[] Stderr, long Truncated, ExecutionState Exited);

/// <summary>Reads events to their end.</summary>
internal static class ExecutionOutputs
{
    public static async Task<ReadOutput> OutputAsync(this IAsyncEnumerable<ExecutionItem> items)
    {
        using MemoryStream stdout = new(), stderr = new();
        long truncated = 0;
        ExecutionState? exited = null;
        await foreach (var item in items)
        {
            (item.Channel == OutputChannel.Stderr ? stderr : stdout).Write(item.Bytes);
            truncated += item.Truncated;
            exited = item.Exited ?? exited;
        }

        return new ReadOutput(stdout.ToArray(), stderr.ToArray(), truncated, exited!);
    }

    public static async Task<List<T>> ToListAsync<T>(this IAsyncEnumerable<T> items)
    {
        var list = new List<T>();
        await foreach (var item in items)
            list.Add(item);
        return list;
    }

    /// <summary>Runs one to its end.</summary>
    public static async Task<ExecutionState> EndAsync(this ExecutorApi api, StartExecutionRequest request)
    {
        using var response = await api.PostStartAsync(request, ExecutionsApi.MediaType(Framing.Text));
        ((int)response.StatusCode).ShouldBe(201);
        return (await ExecutionsApi.ReadAsync(response, Framing.Text, 0).OutputAsync()).Exited;
    }
}
