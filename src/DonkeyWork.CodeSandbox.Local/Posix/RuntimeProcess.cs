using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Local.Posix;

/// <summary>How a program ended and what it printed.</summary>
/// <param name="ExitCode">Its exit code, or 128 + signal.</param>
/// <param name="Output">The end of its standard output.</param>
/// <param name="Error">The end of its standard error.</param>
internal sealed record RuntimeResult(int ExitCode, string Output, string Error);

/// <summary>
/// Runs a program of the host to its end: the OCI runtime, mkfs. Without <see cref="System.Diagnostics.Process"/>,
/// which as PID 1 reaps children that others wait for. No shell, no inherited descriptors but those named.
/// </summary>
internal sealed class RuntimeProcess(ExitWatcher exits)
{
    private const int MaxCaptured = 64 * 1024;
    private const short SetSignalDefaults = 4;
    private const short SetSignalMask = 8;
    private const short NewSession = 0x80;

    /// <summary>Starts, waits, and kills what is not done in time.</summary>
    /// <param name="path">The program.</param>
    /// <param name="arguments">Behind the program's name.</param>
    /// <param name="descriptors">Descriptors from 3 up, in this order.</param>
    /// <param name="error">Takes standard error instead of the result; it may live on in what the program leaves running.</param>
    /// <param name="timeout">How long it may take.</param>
    /// <exception cref="PosixException">It cannot be started.</exception>
    /// <exception cref="TimeoutException">It was killed because it took too long.</exception>
    public async Task<RuntimeResult> RunAsync(
        string path, IReadOnlyList<string> arguments, IReadOnlyList<SafeHandle> descriptors, SafeFileHandle? error, TimeSpan timeout)
    {
        using var standardOutput = Descriptors.InMemory("stdout");
        using var ownError = error is null ? Descriptors.InMemory("stderr") : null;
        var standardError = error ?? ownError!;
        var pid = Start(path, arguments, descriptors, standardOutput, standardError);
        using var pidFd = Descriptors.Process(pid);
        var inTime = true;
        using (var limit = new CancellationTokenSource(timeout))
        {
            try
            {
                await exits.WaitAsync(pidFd, limit.Token);
            }
            catch (OperationCanceledException)
            {
                inTime = false;
                Descriptors.Kill(pidFd);
            }
        }

        // Not a wait any more, or only for a process that SIGKILL is about to end.
        LibC.Check(LibC.WaitPid(pid, out var status, 0), "waitpid");
        if (!inTime)
            throw new TimeoutException($"{Path.GetFileName(path)} {arguments.FirstOrDefault(a => a[0] != '-' && a[0] != '/')} was not done within {timeout.TotalSeconds:0} s.");
        var signal = status & 0x7f;
        return new RuntimeResult(
            signal == 0 ? (status >> 8) & 0xff : 128 + signal, TextOf(standardOutput), TextOf(standardError));
    }

    /// <summary>What a program has written to a file of <see cref="Descriptors.InMemory"/>: the end of it.</summary>
    public static string TextOf(SafeFileHandle file, int mostBytes = MaxCaptured)
    {
        var length = RandomAccess.GetLength(file);
        var buffer = new byte[Math.Min(mostBytes, length)];
        return Encoding.UTF8.GetString(buffer, 0, RandomAccess.Read(file, buffer, length - buffer.Length)).Trim();
    }

    private static unsafe int Start(
        string path, IReadOnlyList<string> arguments, IReadOnlyList<SafeHandle> descriptors, SafeFileHandle output, SafeFileHandle error)
    {
        // Larger than the C library's types on every architecture (336, 80 and 128 bytes on x86-64).
        var attributes = stackalloc byte[1024];
        var actions = stackalloc byte[1024];
        var signals = stackalloc byte[1024];
        using var input = File.OpenHandle("/dev/null");
        var copies = new List<SafeFileHandle>();
        var texts = new List<nint>();
        _ = LibC.SpawnAttributesInit(attributes);
        _ = LibC.SpawnActionsInit(actions);
        try
        {
            _ = LibC.SignalsNone(signals);
            _ = LibC.SpawnAttributesSetMask(attributes, signals);
            _ = LibC.SignalsAll(signals);
            _ = LibC.SpawnAttributesSetDefault(attributes, signals);
            // A session of its own: the terminal's Ctrl+C is the Manager's alone.
            _ = LibC.SpawnAttributesSetFlags(attributes, SetSignalDefaults | SetSignalMask | NewSession);
            var target = 0;
            foreach (var source in (IEnumerable<SafeHandle>)[input, output, error, .. descriptors])
            {
                var copy = Descriptors.Duplicate(source);
                copies.Add(copy);
                _ = LibC.SpawnActionsAddDup(actions, (int)copy.DangerousGetHandle(), target++);
            }

            _ = LibC.SpawnActionsAddCloseFrom(actions, target);
            var argv = Strings([Path.GetFileName(path), .. arguments], texts);
            var environment = Strings(Environment(), texts);
            fixed (nint* argvPointer = argv, environmentPointer = environment)
            {
                var failure = LibC.Spawn(out var pid, path, actions, attributes, (byte**)argvPointer, (byte**)environmentPointer);
                return failure == 0 ? pid : throw new PosixException(failure, $"Cannot start {path}");
            }
        }
        finally
        {
            texts.ForEach(Marshal.FreeCoTaskMem);
            copies.ForEach(copy => copy.Dispose());
            _ = LibC.SpawnActionsDestroy(actions);
            _ = LibC.SpawnAttributesDestroy(attributes);
        }
    }

    // All that a runtime may know of the Manager's environment; keys and secrets are not among it.
    private static IEnumerable<string> Environment()
    {
        yield return "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        foreach (var name in (string[])["HOME", "XDG_RUNTIME_DIR"])
        {
            if (System.Environment.GetEnvironmentVariable(name) is { } value)
                yield return $"{name}={value}";
        }
    }

    private static nint[] Strings(IEnumerable<string> values, List<nint> owned)
    {
        var pointers = values.Select(Marshal.StringToCoTaskMemUTF8).ToList();
        owned.AddRange(pointers);
        return [.. pointers, 0];
    }
}
