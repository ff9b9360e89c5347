using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Server.Terminals;

/// <summary>Tells a text message that asks for another size from one that is typed.</summary>
internal static class TextInput
{
    private const int MaxResizeBytes = 512;

    /// <summary>Whether a message that begins so, and goes on, may be one.</summary>
    public static bool MayBecomeResize(ReadOnlySpan<byte> text) =>
        text.Length <= MaxResizeBytes && text.TrimStart(" \t\r\n"u8) is [] or [(byte)'{', ..];

    /// <summary>Whether it is one; <paramref name="size"/> is <see langword="null"/> where it asks for none that there is.</summary>
    public static bool IsResize(ReadOnlySpan<byte> text, out TerminalSize? size)
    {
        size = null;
        if (!MayBecomeResize(text))
            return false;
        try
        {
            if (JsonSerializer.Deserialize(text, ContractsJsonContext.Default.TerminalMessage) is not { Type: TerminalMessage.Resize } message)
                return false;
            var (columns, rows) = message.Payload is { } payload ? (payload.Cols, payload.Rows) : (message.Cols ?? 0, message.Rows ?? 0);
            if (columns is >= 1 and <= ushort.MaxValue && rows is >= 1 and <= ushort.MaxValue)
                size = new TerminalSize { Cols = columns, Rows = rows };
            return true;
        }
        catch (JsonException)
        {
            // Somebody types JSON.
            return false;
        }
    }
}
