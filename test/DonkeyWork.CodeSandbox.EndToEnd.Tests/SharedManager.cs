using DonkeyWork.CodeSandbox.Client;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>One Manager for the classes that don't end it, and a sandbox of their own for those that ask.</summary>
public sealed class SharedManager : IAsyncLifetime
{
    internal ManagerProcess Manager { get; private set; } = null!;

    internal CodeSandboxClient Client => Manager.Client;

    public async Task InitializeAsync() => Manager = await ManagerProcess.StartAsync();

    public async Task DisposeAsync() => await Manager.DisposeAsync();
}

[CollectionDefinition(Name)]
public sealed class SharedManagerCollection : ICollectionFixture<SharedManager>
{
    public const string Name = "a running Manager";
}
