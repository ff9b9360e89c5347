using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using DonkeyWork.CodeSandbox.Local.Posix;
using DonkeyWork.CodeSandbox.Local.State;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Local.Runtime;

/// <summary>The OCI runtime's command line: the two commands that sandboxes need.</summary>
internal sealed partial class OciRuntime(string path, StateDirectory state, RuntimeProcess processes)
{
    private const int MostSaid = 2000;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan DeleteLimit = TimeSpan.FromSeconds(30);

    /// <summary><c>runc</c>, <c>crun</c> or <c>runsc</c>.</summary>
    public string Name { get; } = Path.GetFileName(path);

    /// <summary>gVisor: a kernel of its own, which takes no descriptors of the host.</summary>
    public bool IsGVisor => Name == "runsc";

    /// <summary>
    /// How many tasks of the host one of a sandbox may take. gVisor has threads of its own, and for each process that it traces one
    /// for each of those that ran it: a dozen processes are 250 tasks, and whoever is refused one ends the whole sandbox.
    /// </summary>
    public int HostTasksPerTask => IsGVisor ? 16 : 1;

    /// <summary>The program as <c>/proc/PID/exe</c> of its processes names it.</summary>
    public string? Program()
    {
        using var program = Descriptors.Reader(path);
        return new FileInfo(Descriptors.PathOf(program)).LinkTarget;
    }

    /// <summary>Starts a container and returns its first process' number.</summary>
    /// <param name="sandbox">Its name; its configuration is in its directory.</param>
    /// <param name="descriptors">For the container, from 3 up.</param>
    /// <param name="error">The container's standard error.</param>
    /// <exception cref="SandboxStartException">The runtime refuses; the message is its own.</exception>
    public async Task<int> RunAsync(string sandbox, IReadOnlyList<SafeHandle> descriptors, SafeFileHandle error)
    {
        var directory = state.Of(sandbox);
        var pidFile = Path.Combine(directory, "pid");
        List<string> arguments = [.. Globals(), "run", "--detach", "--bundle", directory, "--pid-file", pidFile];
        if (descriptors.Count > 0)
            arguments.AddRange(["--preserve-fds", descriptors.Count.ToString(CultureInfo.InvariantCulture)]);
        var result = await processes.RunAsync(path, [.. arguments, sandbox], descriptors, error, StartLimit);
        if (result.ExitCode != 0)
            throw new SandboxStartException(Said(RuntimeProcess.TextOf(error, MostSaid), result.ExitCode));
        return int.Parse(await File.ReadAllTextAsync(pidFile), CultureInfo.InvariantCulture);
    }

    /// <summary>Kills what is left of a container and removes it; nothing where there is none.</summary>
    /// <exception cref="IOException">The runtime cannot.</exception>
    public async Task DeleteAsync(string sandbox)
    {
        if (!Directory.Exists(Path.Combine(state.Runtime, sandbox)) && !IsGVisor)
            return;
        var result = await processes.RunAsync(path, [.. Globals(), "delete", "--force", sandbox], [], null, DeleteLimit);
        if (result.ExitCode != 0)
            throw new IOException(Said(result.Error, result.ExitCode));
    }

    /// <summary>Containers that the runtime still knows.</summary>
    public IEnumerable<string> Existing() => Directory.EnumerateDirectories(state.Runtime).Select(path => Path.GetFileName(path));

    // Newer versions of gVisor have systrap; the older ptrace works everywhere.
    private IEnumerable<string> Globals() => IsGVisor
        ? ["--root", state.Runtime, "--network=none", "--host-uds=create", "--platform=ptrace"]
        : ["--root", state.Runtime];

    // The last error of runc's log lines (time="…" level=error msg="…"), or whatever there is.
    private string Said(string text, int exitCode)
    {
        if (LogMessage().Matches(text) is { Count: > 0 } messages)
            text = messages[^1].Groups[1].Value.Replace("\\\"", "\"", StringComparison.Ordinal);
        return $"{Name}: {(text.Length == 0 ? $"ended with {exitCode} and said nothing." : text)}";
    }

    [GeneratedRegex("level=(?:error|fatal) msg=\"((?:[^\"\\\\]|\\\\.)*)\"")]
    private static partial Regex LogMessage();
}

/// <summary>A sandbox could not be started; the message is for whoever asked for it.</summary>
internal sealed class SandboxStartException(string message) : Exception(message);
