using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]

// Each test starts processes by the dozen; two cores serve one such test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
