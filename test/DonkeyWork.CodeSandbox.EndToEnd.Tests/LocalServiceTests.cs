namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

// What holds on every backend, on this machine.

[Collection(LocalServiceCollection.Name)]
public sealed class LocalResumeTests(LocalService service) : ResumeContract(service);

[Collection(LocalServiceCollection.Name)]
public sealed class LocalTransferTests(LocalService service) : TransferContract(service)
{
    protected override long Bytes => 1L << 30;
}

[Collection(LocalServiceCollection.Name)]
public sealed class LocalBytesTests(LocalService service) : BytesContract(service);

[Collection(LocalServiceCollection.Name)]
public sealed class LocalKillTests(LocalService service) : KillContract(service);

[Collection(LocalServiceCollection.Name)]
public sealed class LocalTerminalTests(LocalService service) : TerminalContract(service);

[Collection(LocalServiceCollection.Name)]
public sealed class LocalHostilePathTests(LocalService service) : HostilePathContract(service);

[Collection(LocalServiceCollection.Name)]
public sealed class LocalExecuteTests(LocalService service) : ExecuteContract(service);
