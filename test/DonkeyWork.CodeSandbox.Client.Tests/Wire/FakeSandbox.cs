namespace DonkeyWork.CodeSandbox.Client.Tests.Wire;

/// <summary>A sandbox of one or more Managers, and a client of theirs.</summary>
internal sealed class FakeSandbox : IAsyncDisposable
{
    private FakeSandbox(IReadOnlyList<FakeManager> managers, CodeSandboxClientOptions? options)
    {
        Managers = managers;
        Manager.Sandboxes[FakeManager.Name] = true;
        Client = new CodeSandboxClient([.. managers.Select(m => m.Address)], options);
        Sandbox = Client.Attach(FakeManager.Name);
    }

    public IReadOnlyList<FakeManager> Managers { get; }

    public FakeManager Manager => Managers[0];

    public FakeExecutions Executions => Manager.Executions;

    public FakeFiles Files => Manager.Files;

    public CodeSandboxClient Client { get; }

    public Sandbox Sandbox { get; }

    public static async Task<FakeSandbox> StartAsync(int managers = 1, CodeSandboxClientOptions? options = null)
    {
        var all = new List<FakeManager>();
        for (var i = 0; i < managers; i++)
            all.Add(await FakeManager.StartAsync(all.FirstOrDefault()));
        return new FakeSandbox(all, options);
    }

    public FakeExecution this[Execution execution] => Executions.All[execution.Id];

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        foreach (var manager in Managers)
            await manager.DisposeAsync();
    }
}
