namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>Nobody is left who could read what is written.</summary>
internal sealed class BrokenPipeException() : IOException("Nobody reads the other end.");
