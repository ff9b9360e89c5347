using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Testing.StandIns;

/// <summary>What is behind the pods of a <see cref="TestKubelet"/>.</summary>
public interface IPodProcesses
{
    /// <summary>Starts what belongs to a pod, unless it has; its address.</summary>
    Task<string> StartAsync(JsonElement pod);

    /// <summary>Ends it; nothing where there is nothing.</summary>
    Task EndAsync(string uid);

    /// <summary>The pods whose processes run.</summary>
    IReadOnlyCollection<string> Running { get; }
}

/// <summary>Nothing: all pods have the address of something that is there already.</summary>
public sealed class SharedAddress(string address) : IPodProcesses
{
    public IReadOnlyCollection<string> Running => [];

    public Task<string> StartAsync(JsonElement pod) => Task.FromResult(address);

    public Task EndAsync(string uid) => Task.CompletedTask;
}
