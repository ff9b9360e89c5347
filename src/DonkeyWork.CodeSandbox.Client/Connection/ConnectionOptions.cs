namespace DonkeyWork.CodeSandbox.Client;

/// <summary>How a client connects and how long it waits. There is no total time: streams may run for days.</summary>
public abstract record ConnectionOptions
{
    internal static readonly TimeSpan DefaultConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The longest wait for a connection. Default 10 s. Not used where the caller brings an
    /// <see cref="HttpClient"/> or <see cref="HttpMessageHandler"/> of its own.
    /// </summary>
    public TimeSpan ConnectTimeout { get; init; } = DefaultConnectTimeout;

    /// <summary>The longest wait for an answer: whole, or up to the headers where it is a stream. Default 60 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The longest silence on a stream while the client is reading, keep-alives counting as sound. Default 30 s,
    /// three times the executor's keep-alive interval. Time that the application spends between two events does not count.
    /// </summary>
    public TimeSpan StreamIdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long what runs on without its caller (executions, their output and input, files, named terminals) is tried again when a
    /// connection breaks, goes silent, or a server cannot serve: the time without any progress, at each of the addresses in turn and
    /// with growing pauses between. Default 60 s; zero gives up at once, and <see cref="Timeout.InfiniteTimeSpan"/> never does. A stream
    /// that opens is progress, even one that breaks again before it has said anything. A connection on which something was
    /// being sent to a machine that is gone without a word is given up by the kernel, after some 15 minutes on Linux: cancel what
    /// must not last as long.
    /// </summary>
    public TimeSpan ReconnectTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The clock behind every timeout. Default: the system's.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
