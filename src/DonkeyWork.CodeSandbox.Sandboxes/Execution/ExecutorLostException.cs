namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>A response broke in the middle. What was passed on of it must not look complete: abort it.</summary>
public sealed class ExecutorLostException(string message, Exception? inner = null) : Exception(message, inner);
