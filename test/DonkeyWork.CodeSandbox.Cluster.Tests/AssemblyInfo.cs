// One small cluster for all: one class at a time, but for what only waits.
[assembly: CollectionBehavior(CollectionBehavior.CollectionPerAssembly, MaxParallelThreads = 2)]

[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]
