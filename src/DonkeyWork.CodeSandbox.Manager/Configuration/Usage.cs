namespace DonkeyWork.CodeSandbox.Manager.Configuration;

/// <summary>What <c>--help</c> prints.</summary>
internal static class Usage
{
    public const string Text = """
        Usage: codesandbox-manager [--KEY=VALUE]...
               codesandbox-manager run [--KEY=VALUE]... "COMMAND"

        Serves sandboxes for untrusted code at http://127.0.0.1:8668; the API is described at /scalar/v1.
        Settings come from appsettings.json beside the program, then environment variables (A:B is written A__B),
        then the command line. With run: one command in a sandbox of its own; exits with its exit code.

          --urls=URL[;URL]                      where to listen; without ApiKey on loopback only
          --ApiKey=KEY                          what callers give as X-Api-Key or Authorization: Bearer

        --KataContainerManager:...
          Backend=Local                         where sandboxes live: Local (this machine) or Kubernetes
          PodNamePrefix=kata-sandbox            first part of every sandbox's name
          MaxTotalContainers=50                 how many sandboxes there may be (1-10000)
          PodReadyTimeoutSeconds=90             how long a sandbox may take to become ready (30-300)
          DefaultResourceRequests:MemoryMi=128  ... :CpuMillicores=250
          DefaultResourceLimits:MemoryMi=512    ... :CpuMillicores=1000
          MaxResourceLimits:MemoryMi=4096       ... :CpuMillicores=4000
          IdleTimeoutMinutes=5                  how long a sandbox is kept that nothing uses (1-1440)
          MaxContainerLifetimeMinutes=15        how long any is kept, used or not (1-1440)
          CleanupCompletedPods=true             CleanupCheckIntervalMinutes=1 (1-60)
          WarmPoolSize=10                       how many sandboxes wait ready for a claim (0-100)
          PoolCreateConcurrency=2 (1-50)        PoolBackfillCheckIntervalSeconds=30 (10-300)
          LeaderLeaseDurationSeconds=15 (5-60)  on a cluster: how soon another Manager fills the pool
          DrainSeconds=30 (0-3600)              how long open requests may go on when it is told to stop

          and for Kubernetes (the cluster is found as kubectl finds it, or by the pod's ServiceAccount):
          Secret                                the sandboxes' tokens are derived from it; 32 characters or more
          TargetNamespace=sandbox-containers    RuntimeClassName=kata-qemu
          DefaultImage=donkeywork/codesandbox-executor:latest
          ImagePullPolicy=IfNotPresent          or Always, Never
          EphemeralStorageLimitMi=1024          what a sandbox may write to its disk (64-1048576)
          ExecutorAccess=Auto                   or PodIp, ApiServerProxy
          Connection:Kubeconfig, Connection:Context, Connection:ServerUrl, Connection:Token, Connection:SkipTlsVerify

        --Local:...                             see docs/local.md
          Runtime=runc                          or crun, runsc
          StateDirectory=/var/lib/codesandbox   (as an ordinary user below ~/.local/state)
          KeepSandboxes=false                   whether sandboxes outlive a Manager that ends in good order
          HomeSizeMi=1024                       PidsLimit=256  ExecutorDirectory, RootFs
          AllowUnlimited=false                  sandboxes whose limits cannot be enforced; never for unread code

          --help                                this

        """;
}
