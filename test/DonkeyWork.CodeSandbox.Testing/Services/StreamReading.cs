using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>Reads both framings in a few lines of the tests' own, as somebody would who has only the description.</summary>
public static class StreamReading
{
    private static readonly string[] Channels = ["", "stdout", "stderr", "pty"];

    // Throws where a character is broken, which U+FFFD would hide.
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Until the stream ends, in order or not: a break is an <see cref="IOException"/>.</summary>
    public static IAsyncEnumerable<StreamItem> ReadAsync(Stream stream, Framing framing, CancellationToken stop = default) =>
        framing == Framing.Frames ? ReadFramesAsync(stream, stop) : ReadEventsAsync(stream, stop);

    private static async IAsyncEnumerable<StreamItem> ReadFramesAsync(Stream stream, [EnumeratorCancellation] CancellationToken stop)
    {
        var header = new byte[13];
        while (true)
        {
            var got = await stream.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, stop);
            if (got == 0) yield break;
            if (got < header.Length) throw new IOException("The stream ends in the middle of a frame's header.");
            var position = BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(1));
            var payload = new byte[BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(9))];
            payload.Length.ShouldBeLessThanOrEqualTo(64 * 1024);
            await stream.ReadExactlyAsync(payload, stop);
            if (header[0] != 0)
            {
                payload.Length.ShouldBeGreaterThan(0);
                yield return StreamItem.Output(position, Channels[header[0]], payload);
            }
            else if (payload.Length > 0)
            {
                var json = JsonDocument.Parse(Strict.GetString(payload)).RootElement;
                yield return StreamItem.Event(json.GetProperty("event").GetString()!, position, json);
            }
        }
    }

    private static async IAsyncEnumerable<StreamItem> ReadEventsAsync(Stream stream, [EnumeratorCancellation] CancellationToken stop)
    {
        using var reader = new StreamReader(stream, Strict, detectEncodingFromByteOrderMarks: false, bufferSize: 16 * 1024);
        string? name = null, data = null, id = null;
        while (await reader.ReadLineAsync(stop) is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal)) data = line[6..];
            else if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
            else if (line.Length > 0) line[0].ShouldBe(':', $"neither a field nor a comment: {line}");
            else if (name is not null)
            {
                yield return ItemOf(name, long.Parse(id!, System.Globalization.CultureInfo.InvariantCulture), JsonDocument.Parse(data!).RootElement);
                (name, data, id) = (null, null, null);
            }
        }
    }

    private static StreamItem ItemOf(string name, long position, JsonElement json)
    {
        if (name != ExecutionEventNames.Output) return StreamItem.Event(name, position, json);
        var channel = json.GetProperty("stream").GetString()!;
        // Text with a lone surrogate is not text, and this encoding refuses it.
        var bytes = json.TryGetProperty("data", out var text) ? Strict.GetBytes(text.GetString()!) : json.GetProperty("base64").GetBytesFromBase64();
        return StreamItem.Output(position, channel, bytes) with { Json = json };
    }
}
