using DonkeyWork.CodeSandbox.Client;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Manager.Commands;

/// <summary>
/// This program's standard output and error as a pipeline sees them: buffered while more is at hand, and, unlike
/// <see cref="Console"/>'s, with an error where it cannot be written.
/// </summary>
internal sealed class StandardStreams : IDisposable
{
    private const int BufferBytes = 64 * 1024;

    private readonly BufferedStream _output = Open(1);
    private readonly BufferedStream _error = Open(2);

    /// <summary>Copies this program's standard input until its end, or until nobody reads it.</summary>
    public static async Task CopyInputAsync(StandardInputStream destination, CancellationToken cancellationToken)
    {
        try
        {
            await using var input = Console.OpenStandardInput();
            await input.CopyToAsync(destination, BufferBytes, cancellationToken);
            await destination.CompleteAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be read, as a directory, has nothing to read.
            await destination.DisposeAsync();
        }
        catch (Exception e) when (e is CodeSandboxException or OperationCanceledException)
        {
            // The command has ended, or reads no more; what else is wrong with it, its output tells.
        }
    }

    /// <summary>Writes a chunk.</summary>
    /// <exception cref="OutputException"/>
    public void Write(ProcessOutput output) =>
        OrFail(() => (output.Channel == OutputChannel.Stdout ? _output : _error).Write(output.Data.Span));

    /// <summary>Lets everything be seen.</summary>
    /// <exception cref="OutputException"/>
    public void Flush() => OrFail(() =>
    {
        _output.Flush();
        _error.Flush();
    });

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var stream in (BufferedStream[])[_output, _error])
        {
            try
            {
                stream.Dispose();
            }
            catch (IOException)
            {
                // That was told when it was written.
            }
        }
    }

    private static void OrFail(Action write)
    {
        try
        {
            write();
        }
        catch (IOException broken)
        {
            throw new OutputException(broken);
        }
    }

    private static BufferedStream Open(int descriptor) => new(new DescriptorStream(descriptor), BufferBytes);
}

/// <summary>This program's output cannot be written.</summary>
internal sealed class OutputException(IOException inner) : Exception(inner.Message, inner)
{
    private const int BrokenPipe = 32; // EPIPE

    /// <summary>Who was to read it has gone, and needs no word about it.</summary>
    public bool NobodyReads => InnerException!.HResult == BrokenPipe;
}
