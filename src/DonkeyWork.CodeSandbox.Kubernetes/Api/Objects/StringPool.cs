using System.Text;
using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

/// <summary>
/// Lets equal short strings be one. Holds a fixed number of them, so that no flood of different ones makes it grow. Safe for
/// any number of threads, as a place is written and read whole.
/// </summary>
internal sealed class StringPool
{
    private const int Longest = 256;
    private const int Groups = 512;
    private const int PlacesInGroup = 4;

    private readonly string?[] _strings = new string?[Groups * PlacesInGroup];

    /// <summary>The text of the token that the reader is at.</summary>
    public string Get(ref Utf8JsonReader reader) =>
        reader.HasValueSequence || reader.ValueIsEscaped ? reader.GetString()! : Get(reader.ValueSpan);

    /// <summary>The text of these bytes.</summary>
    public string Get(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > Longest || !Ascii.IsValid(utf8)) return Encoding.UTF8.GetString(utf8);
        var hash = new HashCode();
        hash.AddBytes(utf8);
        var number = (uint)hash.ToHashCode();
        var group = _strings.AsSpan((int)(number % Groups) * PlacesInGroup, PlacesInGroup);
        // Where all places are taken, one of them is given up.
        var free = (int)(number / Groups % PlacesInGroup);
        for (var place = 0; place < group.Length; place++)
        {
            var there = Volatile.Read(ref group[place]);
            if (there is null) free = place;
            else if (Ascii.Equals(utf8, there)) return there;
        }

        var text = Encoding.ASCII.GetString(utf8);
        Volatile.Write(ref group[free], text);
        return text;
    }
}
