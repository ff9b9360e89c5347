namespace DonkeyWork.CodeSandbox.Server.Executions.Logs;

/// <summary>What all logs of one kind may take together. The oldest finished ones give way to those that grow.</summary>
/// <param name="maxBytes">Of all logs.</param>
/// <param name="maxLogs">How many may hold anything.</param>
internal sealed class OutputBudget(long maxBytes, int maxLogs)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<OutputLog> _finished = [];
    private long _bytes;
    private int _logs;

    /// <summary>Bytes held now.</summary>
    public long Bytes
    {
        get
        {
            lock (_gate)
                return _bytes;
        }
    }

    /// <summary>Takes a share, for which finished logs are emptied from the oldest on.</summary>
    /// <param name="bytes">How many more.</param>
    /// <param name="logs">1 with a log's first, else 0.</param>
    /// <param name="must">Take it even where that is too much.</param>
    public bool TryTake(long bytes, int logs, bool must = false)
    {
        lock (_gate)
        {
            while (_bytes + bytes > maxBytes || _logs + logs > maxLogs)
            {
                if (_finished.First is { } oldest)
                {
                    _finished.RemoveFirst();
                    Subtract(oldest.Value.Empty());
                }
                else if (must)
                {
                    break;
                }
                else
                {
                    return false;
                }
            }

            _bytes += bytes;
            _logs += logs;
            return true;
        }
    }

    /// <summary>Gives back what a log held.</summary>
    public void Give(LogShare share)
    {
        lock (_gate)
            Subtract(share);
    }

    /// <summary>From now on this log gives way, after those that finished before.</summary>
    public void AddFinished(OutputLog log)
    {
        lock (_gate)
        {
            if (!log.IsEmptied)
                _finished.AddLast(log);
        }
    }

    /// <summary>A log was emptied.</summary>
    public void RemoveFinished(OutputLog log)
    {
        lock (_gate)
            _finished.Remove(log);
    }

    private void Subtract(LogShare share)
    {
        _bytes -= share.Bytes;
        _logs -= share.Logs;
    }
}

/// <summary>What a log holds of a budget.</summary>
/// <param name="Bytes">Bytes.</param>
/// <param name="Logs">1, or 0 for nothing.</param>
internal readonly record struct LogShare(long Bytes, int Logs);

/// <summary>Where logs may be, and how much.</summary>
/// <param name="Directory">Where files are made.</param>
/// <param name="Files">The budget of files.</param>
/// <param name="Memory">The budget of memory; exceeded where there is no other way.</param>
internal sealed record LogPlace(string Directory, OutputBudget Files, OutputBudget Memory)
{
    /// <summary>What all executions of a sandbox keep together.</summary>
    public const long MaxFileBytes = Contracts.StartExecutionRequest.MaxKeepOutputBytes;

    private const int MaxFiles = 1000;
    private const long MaxMemoryBytes = 4 * 1024 * 1024;

    public LogPlace(string directory)
        : this(directory, new OutputBudget(MaxFileBytes, MaxFiles), new OutputBudget(MaxMemoryBytes, int.MaxValue))
    {
    }

    /// <summary>Makes a file there, or <see langword="null"/>.</summary>
    public Func<string, ILogStorage?> Create { get; init; } = FileStorage.TryCreate;
}
