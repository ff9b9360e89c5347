namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>The service on this machine. One Manager has the state directory at a time: the next one serves at the other address.</summary>
public sealed class LocalService : TestService, IAsyncLifetime
{
    private static readonly string[] Settings = ["--Local:KeepSandboxes=true", "--Local:HomeSizeMi=8192", "--Local:PidsLimit=512"];

    private readonly string _directory = Path.Combine(Path.GetTempPath(), $"codesandbox-e2e-{Guid.NewGuid():N}"[..30]);
    private ManagerProcess _manager = null!;

    public override string Log => _manager.Log;

    public async Task InitializeAsync()
    {
        _manager = await ManagerProcess.StartOnAsync(_directory, Settings);
        Ways[0].Target = _manager.Url;
    }

    public override async Task KillAsync(CuttingRelay way)
    {
        await _manager.KillAsync();
        await ReplaceAsync(way);
    }

    public override async Task StopAsync(CuttingRelay way)
    {
        await _manager.SignalAsync("TERM");
        await _manager.ExitAsync();
        await ReplaceAsync(way);
    }

    public override Task<string> MarkOfAsync(string sandbox) => Task.FromResult(sandbox);

    public override async ValueTask DisposeAsync()
    {
        (await _manager.Client.DeleteAllAsync()).FailedCount.ShouldBe(0);
        await base.DisposeAsync();
        await _manager.DisposeAsync();
        await Remains.NothingOfAsync(_directory, () => Log);
        Directory.Delete(_directory, recursive: true);
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    private async Task ReplaceAsync(CuttingRelay way)
    {
        way.Target = null;
        way.CutAll();
        await _manager.DisposeAsync();
        _manager = await ManagerProcess.StartOnAsync(_directory, Settings);
        Ways.Single(other => other != way).Target = _manager.Url;
    }
}

[CollectionDefinition(Name)]
public sealed class LocalServiceCollection : ICollectionFixture<LocalService>
{
    public const string Name = "the service on this machine";
}
