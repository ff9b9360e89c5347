namespace DonkeyWork.CodeSandbox.Client;

/// <summary>A command printed more than was to be kept in memory. It has been ended.</summary>
public sealed class OutputTooLargeException : CodeSandboxException
{
    internal OutputTooLargeException(int maxCharacters)
        : base(
            ClientErrorCodes.OutputTooLarge,
            $"The command printed more than {maxCharacters} characters and was ended. Raise {nameof(RunOptions)}.{nameof(RunOptions.MaxOutputCharacters)} or read its events as they come.") =>
        MaxCharacters = maxCharacters;

    /// <summary>The limit that was passed, in characters of UTF-16.</summary>
    public int MaxCharacters { get; }
}
