using System.Text;
using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

/// <summary>
/// Lets equal short strings be one. Holds a fixed number of them: of two that fall on the same place the later stays. Safe
/// for any number of threads, as a place is written and read whole.
/// </summary>
internal sealed class StringPool
{
    private const int Places = 2048;
    private const int Longest = 256;

    private readonly string?[] _strings = new string?[Places];

    /// <summary>The text of the token that the reader is at.</summary>
    public string Get(ref Utf8JsonReader reader) =>
        reader.HasValueSequence || reader.ValueIsEscaped ? reader.GetString()! : Get(reader.ValueSpan);

    /// <summary>The text of these bytes.</summary>
    public string Get(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > Longest || !Ascii.IsValid(utf8)) return Encoding.UTF8.GetString(utf8);
        var hash = new HashCode();
        hash.AddBytes(utf8);
        ref var place = ref _strings[(uint)hash.ToHashCode() % Places];
        var there = Volatile.Read(ref place);
        if (there is not null && Ascii.Equals(utf8, there)) return there;
        there = Encoding.ASCII.GetString(utf8);
        Volatile.Write(ref place, there);
        return there;
    }
}
