using System.Collections.Concurrent;
using System.Threading.Channels;
using DonkeyWork.CodeSandbox.Testing;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Backend;

/// <summary>What was logged, and a way to wait for a line of it.</summary>
public sealed class LogLines : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly Channel<string> _new = Channel.CreateUnbounded<string>();

    public string Text => string.Join('\n', _lines);

    public async Task UntilAsync(Predicate<string> wanted)
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        await foreach (var line in _new.Reader.ReadAllAsync(limit.Token))
            if (wanted(line)) return;
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        var line = $"{logLevel}: {formatter(state, exception)}";
        _lines.Enqueue(line);
        _new.Writer.TryWrite(line);
    }

    public void Dispose()
    {
    }
}
