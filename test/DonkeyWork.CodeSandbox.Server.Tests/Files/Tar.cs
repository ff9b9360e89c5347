using System.Text;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Files;

/// <summary>Archives, by the machine's tar and by hand.</summary>
internal static class Tar
{
    /// <summary>What GNU tar finds in an archive that was sent.</summary>
    public static async Task<string[]> NamesAsync(HttpResponseMessage response)
    {
        ((int)response.StatusCode).ShouldBe(200);
        response.Content.Headers.ContentType!.ToString().ShouldBe("application/x-tar");
        var file = Path.GetTempFileName();
        try
        {
            await using (var stream = File.Create(file))
                await response.Content.CopyToAsync(stream);
            return Published.Succeed("tar", "--quoting-style=literal", "-tf", file).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>A header with what follows it, padded.</summary>
    public static byte[] Entry(string name, char type = '0', string content = "", string target = "", string? size = null, string mode = "0000644")
    {
        var block = new byte[512];
        Put(block, 0, name);
        Put(block, 100, mode);
        Put(block, 108, "0001750");
        Put(block, 116, "0001750");
        Put(block, 124, size ?? Convert.ToString(Encoding.Latin1.GetByteCount(content), 8).PadLeft(11, '0'));
        Put(block, 136, "00000000001");
        block[156] = (byte)type;
        Put(block, 157, target);
        Put(block, 257, "ustar\000");
        Put(block, 148, "        ");
        Put(block, 148, Convert.ToString(block.Sum(value => value), 8).PadLeft(6, '0') + "\0 ");
        var padding = (512 - (content.Length % 512)) % 512;
        return [.. block, .. Encoding.Latin1.GetBytes(content), .. new byte[padding]];
    }

    public static byte[] Pax(params string[] records) => Entry("pax", 'x', string.Concat(records.Select(Record)));

    public static Stream Archive(params byte[][] entries) => new MemoryStream([.. entries.SelectMany(entry => entry), .. new byte[1024]]);

    private static string Record(string text)
    {
        var length = text.Length + 2;
        while ($"{length}".Length + text.Length + 2 != length)
            length = $"{length}".Length + text.Length + 2;
        return $"{length} {text}\n";
    }

    private static void Put(byte[] block, int offset, string text) => Encoding.Latin1.GetBytes(text).CopyTo(block, offset);
}
