namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>What to start: strings without NUL, passed on as UTF-8, untouched.</summary>
/// <param name="Path">The program's absolute path.</param>
/// <param name="Arguments">Its argument array, from argv[0] on.</param>
/// <param name="Environment">All of its environment.</param>
/// <param name="Directory">Where it starts.</param>
internal sealed record ProcessStart(
    string Path,
    IReadOnlyList<string> Arguments,
    IReadOnlyDictionary<string, string> Environment,
    string Directory);
