using System.Text;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client.Executions;

/// <summary>Puts lines together again to the text that the command wrote, up to a limit.</summary>
internal sealed class OutputCollector(int maxCharacters)
{
    private readonly StringBuilder _standardOutput = new();
    private readonly StringBuilder _standardError = new();

    public static async Task<RunResult> CollectAsync(IAsyncEnumerable<ExecutionEvent> events, int maxCharacters, CancellationToken cancellationToken)
    {
        var collector = new OutputCollector(maxCharacters);
        CompletedEvent? completed = null;
        await foreach (var next in events.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (next is OutputEvent output)
                collector.Add(output);
            else
                completed = (CompletedEvent)next;
        }

        return new RunResult
        {
            // Without it the enumeration has thrown.
            ExitCode = completed!.ExitCode,
            TimedOut = completed.TimedOut,
            Reason = completed.Reason,
            StandardOutput = collector._standardOutput.ToString(),
            StandardError = collector._standardError.ToString(),
        };
    }

    private void Add(OutputEvent output)
    {
        var length = (long)output.Data.Length + (output.Partial ? 0 : 1);
        if (_standardOutput.Length + _standardError.Length + length > maxCharacters)
            throw new OutputTooLargeException(maxCharacters);

        var text = output.Stream == OutputSource.Stderr ? _standardError : _standardOutput;
        text.Append(output.Data);
        if (!output.Partial)
            text.Append('\n');
    }
}
