namespace DonkeyWork.CodeSandbox.Server.Files.Archives;

/// <summary>An archive is broken, or has an entry that may not be.</summary>
/// <param name="message">What is wrong with it.</param>
internal sealed class BadArchiveException(string message) : Exception(message);
