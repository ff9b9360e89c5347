using System.Text;
using DonkeyWork.CodeSandbox.Server.Executions;

namespace DonkeyWork.CodeSandbox.Server.Tests;

public sealed class Utf8RepairTests
{
    /// <summary>Characters of every length, and ill-formed sequences of every kind: lone, overlong, surrogate, cut off.</summary>
    public static TheoryData<string> Samples => new(
        "plain text",
        Convert.ToHexString("aé€😀ßz"u8),
        "61C3286280E282",
        "C0AF" + "E08080" + "EDA080" + "F4908080" + "F0909F",
        "F09F98F09F9880" + "E2E282AC" + "FFFE41");

    [Theory]
    [MemberData(nameof(Samples))]
    public void Any_cut_of_the_input_gives_what_decoding_it_whole_gives(string sample)
    {
        var bytes = sample.All(char.IsAsciiHexDigit) ? Convert.FromHexString(sample) : Encoding.UTF8.GetBytes(sample);
        var whole = Encoding.UTF8.GetString(bytes);
        for (var first = 0; first <= bytes.Length; first++)
        {
            for (var second = first; second <= bytes.Length; second++)
                Repair(bytes[..first], bytes[first..second], bytes[second..]).ShouldBe(whole, $"cut at {first} and {second}");
        }

        Repair([.. bytes.Select(value => new[] { value })]).ShouldBe(whole, "byte by byte");
    }

    [Fact]
    public void Every_pair_of_bytes_is_repaired_as_the_platform_does()
    {
        for (var pair = 0; pair <= ushort.MaxValue; pair++)
        {
            byte[] bytes = [(byte)(pair >> 8), (byte)pair];
            Repair([bytes[0]], [bytes[1]]).ShouldBe(Encoding.UTF8.GetString(bytes), Convert.ToHexString(bytes));
        }
    }

    [Fact]
    public void Random_bytes_in_random_pieces_are_repaired_as_the_platform_does()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var bytes = new byte[200_000];
        random.NextBytes(bytes);
        var pieces = new List<byte[]>();
        for (var start = 0; start < bytes.Length;)
        {
            var length = Math.Min(random.Next(1, 5_000), bytes.Length - start);
            pieces.Add(bytes[start..(start + length)]);
            start += length;
        }

        Repair([.. pieces]).ShouldBe(Encoding.UTF8.GetString(bytes), $"seed {seed}");
    }

    [Fact]
    public void Valid_text_is_passed_on_without_a_copy()
    {
        ReadOnlyMemory<byte> text = Encoding.UTF8.GetBytes("grün");
        new Utf8Repair().Next(text).ShouldBe(text);
    }

    private static string Repair(params byte[][] pieces)
    {
        var repair = new Utf8Repair();
        var result = new StringBuilder();
        // What comes out must be valid by itself, or an event would hold half a character.
        var strict = new UTF8Encoding(false, throwOnInvalidBytes: true);
        foreach (var piece in pieces)
            result.Append(strict.GetString(repair.Next(piece).Span));
        return result.Append(strict.GetString(repair.Finish().Span)).ToString();
    }
}
