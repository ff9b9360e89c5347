using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>What is printed arrives as it was printed, byte for byte, in either framing.</summary>
public abstract class BytesContract(TestService service)
{
    private static readonly Encoding Utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static TheoryData<Framing> Framings => [Framing.Events, Framing.Frames];

    [Theory]
    [MemberData(nameof(Framings))]
    public async Task Every_byte_value_arrives(Framing framing)
    {
        await using var sandbox = await service.CreateAsync();
        // Each value beside each other value.
        var expected = Enumerable.Range(0, 256).SelectMany(a => Enumerable.Range(0, 256).SelectMany(b => (byte[])[(byte)a, (byte)b])).ToArray();

        var printed = await PrintedAsync(sandbox, "python3 -c 'import os; os.write(1, bytes(x for a in range(256) for b in range(256) for x in (a, b)))'", framing);

        printed["stdout"].ShouldBe(expected);
    }

    [Theory]
    [MemberData(nameof(Framings))]
    public async Task Characters_that_are_written_in_pieces_arrive_whole_or_as_bytes_and_never_broken(Framing framing)
    {
        await using var sandbox = await service.CreateAsync();
        // Every character, split at each of its offsets: at once, with something on the other stream between, and late.
        const string command = """
            python3 -c '
            import os, time
            for between in (lambda: None, lambda: os.write(2, "é".encode()), lambda: time.sleep(0.02), lambda: time.sleep(0.25)):
                for c in "aé€😀":
                    b = c.encode()
                    for k in range(1, len(b)):
                        os.write(1, b[:k]); between(); os.write(1, b[k:])
                os.write(1, b"\n")
            os.write(1, b"\xf0\x9f")'
            """;

        var printed = await PrintedAsync(sandbox, command, framing);

        byte[] expected = [.. Enumerable.Repeat(Utf8.GetBytes("é€€😀😀😀\n"), 4).SelectMany(bytes => bytes), 0xf0, 0x9f];
        printed["stdout"].ShouldBe(expected);
        printed["stderr"].ShouldBe(Utf8.GetBytes("éééééé"));
    }

    [Theory]
    [MemberData(nameof(Framings))]
    public async Task Sixteen_MiB_without_a_newline_arrive_and_so_do_NUL_and_carriage_returns(Framing framing)
    {
        await using var sandbox = await service.CreateAsync();
        var expected = SHA256.HashData([.. "a\rb\0c\r\n"u8, .. Enumerable.Repeat((byte)'x', 16 << 20)]);

        var printed = await PrintedAsync(sandbox, @"printf 'a\rb\0c\r\n'; head -c 16777216 /dev/zero | tr '\0' x", framing);

        printed["stdout"][..7].ShouldBe("a\rb\0c\r\n"u8.ToArray());
        SHA256.HashData(printed["stdout"]).ShouldBe(expected);
    }

    [Fact]
    public async Task Positions_count_every_byte_of_either_stream_and_each_of_them_can_be_come_back_with()
    {
        await using var sandbox = await service.CreateAsync();
        var execution = await RawExecution.StartAsync(service.Http, sandbox.Name, new { command = "echo out; echo error >&2; exit 3" });
        var all = await ToListAsync(execution, Framing.Frames, 0);

        all[0].Name.ShouldBe(ExecutionEventNames.Started);
        all[0].Position.ShouldBe(1);
        all[^1].Position.ShouldBe(1 + 10 + 1);
        for (var after = 0; after <= 12; after++)
        {
            var rest = await ToListAsync(execution, after % 2 == 0 ? Framing.Frames : Framing.Events, after);
            rest.Sum(item => item.Bytes.Length).ShouldBe(Math.Clamp(11 - after, 0, 10));
            rest.Count(item => item.Name == ExecutionEventNames.Started).ShouldBe(after < 1 ? 1 : 0);
            rest[^1].Json.GetProperty("exitCode").GetInt32().ShouldBe(3);
        }
    }

    private static async Task<Dictionary<string, byte[]>> PrintedAsync(TestSandbox sandbox, string command, Framing framing)
    {
        var execution = await RawExecution.StartWaitingAsync(sandbox.Http, sandbox.Name, command);
        var items = await ToListAsync(execution, framing, 0);
        items.Count(item => item.Name == ExecutionEventNames.Exited).ShouldBe(1);
        items[^1].Name.ShouldBe(ExecutionEventNames.Exited);
        items[^1].Json.GetProperty("exitCode").GetInt32().ShouldBe(0);
        var printed = items.Where(item => item.Name == ExecutionEventNames.Output).ToLookup(item => item.Channel!);
        if (framing == Framing.Events) printed.SelectMany(channel => channel).ShouldAllBe(item => IsTextOrHasTo(item));
        items.Select(item => item.Position).ShouldBe(items.Select(item => item.Position).Order());
        return printed.ToDictionary(channel => channel.Key, channel => channel.SelectMany(item => item.Bytes).ToArray());
    }

    /// <summary>As base64 comes only what is not UTF-8.</summary>
    private static bool IsTextOrHasTo(StreamItem item)
    {
        if (item.Json.TryGetProperty("data", out _)) return !item.Json.TryGetProperty("base64", out _);
        try
        {
            Utf8.GetCharCount(item.Bytes);
            return false;
        }
        catch (DecoderFallbackException)
        {
            return true;
        }
    }

    private static async Task<List<StreamItem>> ToListAsync(RawExecution execution, Framing framing, long after)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        var items = new List<StreamItem>();
        await foreach (var item in execution.ReadAsync(framing, after, patience.Token)) items.Add(item);
        return items;
    }
}
