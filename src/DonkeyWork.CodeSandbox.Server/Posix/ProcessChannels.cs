using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>A process's input and output: its ends, until it has them, and ours.</summary>
internal sealed class ProcessChannels : IDisposable
{
    private readonly SafeFileHandle? _master;
    private readonly SafeFileHandle? _childInput;
    private readonly SafeFileHandle _childOutput;
    private readonly SafeFileHandle _childError;

    private ProcessChannels(
        (SafeFileHandle Ours, SafeFileHandle Childs)? input,
        (SafeFileHandle Ours, SafeFileHandle Childs) output,
        (SafeFileHandle Ours, SafeFileHandle Childs) error)
    {
        Output = new DescriptorReader(output.Ours);
        Error = new DescriptorReader(error.Ours);
        Input = input is { } pipe ? new DescriptorWriter(pipe.Ours) : null;
        (_childInput, _childOutput, _childError) = (input?.Childs, output.Childs, error.Childs);
    }

    private ProcessChannels(SafeFileHandle master, SafeFileHandle copy, SafeFileHandle childs)
    {
        _master = copy;
        Output = new DescriptorReader(master, isTerminal: true);
        Input = new DescriptorWriter(copy);
        _childInput = _childOutput = _childError = childs;
    }

    /// <summary>Standard output, or everything that a terminal shows.</summary>
    public DescriptorReader Output { get; }

    /// <summary>Standard error; a terminal has none of its own.</summary>
    public DescriptorReader? Error { get; }

    /// <summary>Standard input, where it is kept open; disposing it is its end (a terminal's is typed: Ctrl-D).</summary>
    public DescriptorWriter? Input { get; }

    /// <summary>Whether it is a terminal.</summary>
    public bool IsTerminal => _master is not null;

    /// <summary>Becomes the child's descriptor 0; -1: /dev/null does.</summary>
    public int ChildInput => _childInput is null ? -1 : (int)_childInput.DangerousGetHandle();

    /// <summary>Becomes the child's descriptor 1.</summary>
    public int ChildOutput => (int)_childOutput.DangerousGetHandle();

    /// <summary>Becomes the child's descriptor 2.</summary>
    public int ChildError => (int)_childError.DangerousGetHandle();

    /// <summary>Pipes.</summary>
    /// <param name="input">Whether standard input is one; else it is /dev/null.</param>
    /// <exception cref="StartFailedException">No descriptor is left.</exception>
    public static ProcessChannels Pipes(bool input)
    {
        var opened = new List<(SafeFileHandle Ours, SafeFileHandle Childs)>();
        try
        {
            opened.Add(DescriptorPair.ReadPipe());
            opened.Add(DescriptorPair.ReadPipe());
            if (input)
                opened.Add(DescriptorPair.WritePipe());
            return new ProcessChannels(input ? opened[2] : null, opened[0], opened[1]);
        }
        catch
        {
            foreach (var (ours, childs) in opened)
            {
                ours.Dispose();
                childs.Dispose();
            }

            throw;
        }
    }

    /// <summary>A terminal, which becomes the controlling one of the process.</summary>
    /// <param name="columns">Its width in characters, 1 to 65,535.</param>
    /// <param name="rows">Its height.</param>
    /// <exception cref="StartFailedException">There are no more.</exception>
    public static ProcessChannels Terminal(int columns, int rows)
    {
        var (master, childs) = PseudoTerminal.Open(columns, rows);
        try
        {
            return new ProcessChannels(master, master.Duplicate(), childs);
        }
        catch
        {
            master.Dispose();
            childs.Dispose();
            throw;
        }
    }

    /// <summary>Changes a terminal's size.</summary>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public void Resize(int columns, int rows) =>
        PseudoTerminal.Resize(_master ?? throw new InvalidOperationException("There is no terminal."), columns, rows);

    /// <summary>Closes the child's ends here: what it writes then ends with the last one who has them.</summary>
    public void CloseChildEnds()
    {
        _childInput?.Dispose();
        _childOutput.Dispose();
        _childError.Dispose();
    }

    /// <summary>Closes everything. A terminal hangs up: its session gets SIGHUP.</summary>
    public void Dispose()
    {
        Output.Dispose();
        Error?.Dispose();
        Input?.Dispose();
        // Last, or who waits would see the other end go before its own.
        CloseChildEnds();
    }
}
