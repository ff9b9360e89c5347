using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>
/// A reader was further behind than what is kept, and these bytes are lost to it. Its next read goes on behind them.
/// <see cref="OverflowPolicy.Wait"/> holds the process instead; <see cref="StartOptions.KeepOutputBytes"/> keeps more.
/// </summary>
public sealed class OutputTruncatedException : CodeSandboxException
{
    internal OutputTruncatedException(OutputTruncated lost)
        : base(ClientErrorCodes.OutputTruncated, $"{lost.Bytes} bytes of output ({lost.Channel}) are no longer kept.")
    {
        Channel = lost.Channel;
        Bytes = lost.Bytes;
    }

    /// <summary>Where they were printed.</summary>
    public OutputChannel Channel { get; }

    /// <summary>How many they were.</summary>
    public long Bytes { get; }
}
