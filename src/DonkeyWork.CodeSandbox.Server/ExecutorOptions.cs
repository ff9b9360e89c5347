using System.Globalization;
using System.Net;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server;

/// <summary>The command line.</summary>
internal sealed record ExecutorOptions
{
    /// <summary>Tasks of a sandbox that commands may not take, so that the executor always has threads: its own, twice over.</summary>
    public const int ReservedTasks = 24;

    public const string Help = """
        Usage: codesandbox-executor [OPTION VALUE]...
        Runs commands for DonkeyWork CodeSandbox inside a sandbox.

          --listen tcp:PORT | tcp:ADDRESS:PORT | unix:PATH | fd:N
                          where to serve HTTP (default tcp:8666); fd:N is an inherited listening socket
          --cgroup fd:N | PATH
                          a cgroup v2 directory of the executor's uid in which the executor lives: each command gets a
                          directory in it and is killed by cgroup.kill. Without it the executor must be PID 1 of its pid
                          namespace
          --oom-events fd:N | PATH
                          the sandbox's memory.events (cgroup v2) or memory.oom_control (v1)
          --tasks-limit N
                          the sandbox's pids limit: commands get 24 fewer, which are kept for the executor
          --output-directory PATH
                          where the output of commands is kept, in files without a name (default /tmp)
          --no-inotify    commands find no inotify and no fanotify, whose instances are counted for the whole host; the
                          executor itself uses one while files are watched
          --help          this text
          --version       the version and how it was built

        Environment: CODESANDBOX_TOKEN_SHA256, CODESANDBOX_START, CODESANDBOX_POOL.
        """;

    /// <summary>Where to serve: an <see cref="IPEndPoint"/> (null address: any), a path, or a descriptor.</summary>
    public ListenAddress Listen { get; init; } = new() { Port = ExecutorProtocol.DefaultPort };

    /// <summary>The delegated cgroup directory, or <see langword="null"/>.</summary>
    public FileReference? Cgroup { get; init; }

    /// <summary>The file that counts memory kills, or <see langword="null"/>.</summary>
    public FileReference? OomEvents { get; init; }

    /// <summary>The sandbox's pids limit, or <see langword="null"/>.</summary>
    public int? TasksLimit { get; init; }

    /// <summary>Where the output of commands is kept.</summary>
    public string OutputDirectory { get; init; } = "/tmp";

    /// <summary>Whether commands find no inotify.</summary>
    public bool NoInotify { get; init; }

    /// <summary>Reads the command line.</summary>
    /// <exception cref="UsageException">It cannot be understood.</exception>
    public static ExecutorOptions Parse(ReadOnlySpan<string> arguments)
    {
        var options = new ExecutorOptions();
        while (!arguments.IsEmpty)
        {
            var name = arguments[0];
            if (name == "--no-inotify")
            {
                options = options with { NoInotify = true };
                arguments = arguments[1..];
                continue;
            }

            if (name is not ("--listen" or "--cgroup" or "--oom-events" or "--tasks-limit" or "--output-directory"))
                throw new UsageException($"unknown option '{name}'");
            if (arguments.Length < 2 || arguments[1].Length == 0)
                throw new UsageException($"{name} needs a value");
            var value = arguments[1];
            arguments = arguments[2..];
            options = name switch
            {
                "--listen" => options with { Listen = ListenAddress.Parse(value) },
                "--cgroup" => options with { Cgroup = FileReference.Parse(name, value) },
                "--oom-events" => options with { OomEvents = FileReference.Parse(name, value) },
                "--output-directory" => options with { OutputDirectory = value },
                _ => options with { TasksLimit = ParseTasksLimit(value) },
            };
        }

        return options;
    }

    /// <summary>A non-negative whole number, or <see langword="null"/>.</summary>
    public static int? ParseNumber(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static int ParseTasksLimit(string value) =>
        ParseNumber(value) is { } limit and > ReservedTasks
            ? limit
            : throw new UsageException($"--tasks-limit needs a number above {ReservedTasks}, not '{value}'");
}

/// <summary>The command line cannot be understood.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>A file given by path or as an inherited descriptor.</summary>
internal sealed record FileReference(string? Path, int Descriptor)
{
    public static FileReference Parse(string option, string value)
    {
        if (!value.StartsWith("fd:", StringComparison.Ordinal))
            return new FileReference(value, -1);
        return ExecutorOptions.ParseNumber(value[3..]) is { } descriptor
            ? new FileReference(null, descriptor)
            : throw new UsageException($"{option}: '{value}' is not fd:N");
    }
}

/// <summary>Where to serve: one of a port (with or without an address), a socket's path, a descriptor.</summary>
internal sealed record ListenAddress
{
    public IPAddress? Address { get; init; }

    public int? Port { get; init; }

    public string? SocketPath { get; init; }

    public int? Descriptor { get; init; }

    public override string ToString() =>
        SocketPath is not null ? $"unix:{SocketPath}"
        : Descriptor is not null ? $"fd:{Descriptor}"
        : Address is not null ? $"tcp:{new IPEndPoint(Address, Port ?? 0)}"
        : $"tcp:{Port}";

    public static ListenAddress Parse(string value)
    {
        var colon = value.IndexOf(':', StringComparison.Ordinal);
        var rest = value[(colon + 1)..];
        switch (value[..Math.Max(colon, 0)])
        {
            case "unix" when rest.Length > 0:
                return new ListenAddress { SocketPath = rest };
            case "fd" when ExecutorOptions.ParseNumber(rest) is { } descriptor:
                return new ListenAddress { Descriptor = descriptor };
            case "tcp" when ExecutorOptions.ParseNumber(rest) is { } port and <= IPEndPoint.MaxPort:
                return new ListenAddress { Port = port };
            case "tcp" when rest.Contains(':', StringComparison.Ordinal) && IPEndPoint.TryParse(rest, out var endPoint):
                return new ListenAddress { Address = endPoint.Address, Port = endPoint.Port };
            default:
                throw new UsageException($"--listen: '{value}' is none of tcp:PORT, tcp:ADDRESS:PORT, unix:PATH, fd:N");
        }
    }
}
