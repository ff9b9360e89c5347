using System.Globalization;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>Signals by name, signal(7): the numbers of x86-64 and arm64, which are the same.</summary>
internal static class Signals
{
    private const int FirstRealTime = 34;

    private static readonly string[] Names =
    [
        "", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV",
        "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU",
        "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
    ];

    /// <summary>The number of one such as <c>SIGINT</c>; <see langword="null"/> for anything else, real-time signals among it.</summary>
    public static int? Parse(string name) => Array.IndexOf(Names, name) is > 0 and var number ? number : null;

    /// <summary>The name of one that ended a process.</summary>
    public static string NameOf(int signal) =>
        signal > 0 && signal < Names.Length ? Names[signal]
        : signal == FirstRealTime ? "SIGRTMIN"
        : string.Create(CultureInfo.InvariantCulture, $"SIGRTMIN{signal - FirstRealTime:+0;-0}");
}
