using System.Text;
using DonkeyWork.CodeSandbox.Server.Posix;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Server;

/// <summary>
/// Text to standard output and error. Not <see cref="Console"/>: that installs signal handlers of its own over ours, and reaps
/// children.
/// </summary>
internal static class Terminal
{
    public static void WriteOutput(string text) => Write(1, text);

    public static void WriteError(string text) => Write(2, text);

    private static void Write(int descriptor, string text)
    {
        using var file = new SafeFileHandle(descriptor, ownsHandle: false);
        var bytes = Encoding.UTF8.GetBytes(text + "\n").AsSpan();
        while (!bytes.IsEmpty)
        {
            var written = Native.Write(file, bytes, bytes.Length);
            // Nobody is there to read it, and nothing depends on it.
            if (written <= 0)
                return;
            bytes = bytes[(int)written..];
        }
    }
}
