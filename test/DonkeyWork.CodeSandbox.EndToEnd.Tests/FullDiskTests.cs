using System.Net;
using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>A sandbox that has filled its own disk, to the last block, where its home is and what its commands print.</summary>
[Collection(LocalServiceCollection.Name)]
public sealed class FullDiskTests(LocalService service)
{
    private const int Printed = 2_000_000;

    /// <summary>
    /// Blocks that are only set aside, so that the host's disk need not hold them; then what is left in pieces. The file system needs
    /// some of its own as others are written, and lets go of others.
    /// </summary>
    private const string Fill = """
        n=0
        for size in 1G 64M 1M 64K 4K 4K; do
            while fallocate -l $size fill/$((n++)) || head -c 4096 /dev/zero >fill/$((n++)); do :; done
            sync -f fill
        done 2>/dev/null
        ! head -c 4096 /dev/zero 2>/dev/null >fill/last
        """;

    private static readonly string Numbers = string.Concat(Enumerable.Range(1, 400_000).Select(number => $"{number}\n"))[..Printed];

    [Fact]
    public async Task It_goes_on_loses_only_what_it_says_and_is_as_before_when_there_is_room_again()
    {
        await using var sandbox = await service.CreateAsync();
        using (var put = await PutAsync(sandbox, "file", "old"))
            put.StatusCode.ShouldBe(HttpStatusCode.Created);
        var kept = await StartAsync(sandbox, $"seq 400000 | head -c {Printed}", "drop");
        (await kept.WaitAsync()).GetProperty("truncatedBytes").GetInt64().ShouldBe(0);
        // Half of what it prints before the disk is full, the other half then.
        var halfway = await StartAsync(sandbox, $"{{ seq 400000 | head -c {Printed}; }} | {{ head -c {Printed / 2}; until [ -e full ]; do sleep 0.05; done; cat; }}", "drop");
        await sandbox.OutputOfAsync($"mkdir fill; {Fill}; touch full");

        foreach (var path in (string[])["file", "new/file"])
        {
            using var put = await PutAsync(sandbox, path, new string('x', 1 << 20));
            put.StatusCode.ShouldBe(HttpStatusCode.InsufficientStorage);
            JsonDocument.Parse(await put.Content.ReadAsStringAsync()).RootElement.GetProperty("code").GetString().ShouldBe(ErrorCodes.NoSpace);
        }

        (await sandbox.Http.GetStringAsync(new Uri(sandbox.Address, "files?path=file"))).ShouldBe("old");
        (await TextOfAsync(kept)).ShouldBe((Numbers, 0));
        // Of what it had on the disk a few chunks go for the last ones; the other has only memory.
        await LosesNothingUntoldAsync(halfway, atLeast: Printed / 4);
        await LosesNothingUntoldAsync(await StartAsync(sandbox, $"seq 400000 | head -c {Printed}", "drop"), atLeast: 16 * 1024);
        (await TextOfAsync(await StartAsync(sandbox, $"seq 400000 | head -c {Printed}", "wait"))).ShouldBe((Numbers, 0));

        (await sandbox.OutputOfAsync("rm -r fill; echo room")).ShouldBe("room\n");
        using (var put = await PutAsync(sandbox, "file", "new"))
            put.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await sandbox.Http.GetStringAsync(new Uri(sandbox.Address, "files?path=file"))).ShouldBe("new");
        var after = await StartAsync(sandbox, $"seq 400000 | head -c {Printed}", "drop");
        (await after.WaitAsync()).GetProperty("truncatedBytes").GetInt64().ShouldBe(0);
        (await TextOfAsync(after)).ShouldBe((Numbers, 0));
    }

    private static async Task LosesNothingUntoldAsync(RawExecution execution, int atLeast)
    {
        (await execution.WaitAsync()).GetProperty("exitCode").GetInt32().ShouldBe(0);
        var (text, truncated) = await TextOfAsync(execution);
        (text.Length + truncated).ShouldBe(Printed);
        text.Length.ShouldBeGreaterThanOrEqualTo(atLeast);
        text[^1000..].ShouldBe(Numbers[^1000..]);
    }

    private static Task<RawExecution> StartAsync(TestSandbox sandbox, string command, string overflow) => sandbox.StartAsync(new { command, overflow });

    private static async Task<HttpResponseMessage> PutAsync(TestSandbox sandbox, string path, string content)
    {
        using var body = new StringContent(content);
        return await sandbox.Http.PutAsync(new Uri(sandbox.Address, $"files?path={path}"), body);
    }

    private static async Task<(string Text, long Truncated)> TextOfAsync(RawExecution execution)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        using var output = new MemoryStream();
        long truncated = 0;
        await foreach (var item in execution.ReadAsync(stop: patience.Token))
        {
            output.Write(item.Bytes);
            truncated += item.TruncatedBytes;
        }

        return (Encoding.UTF8.GetString(output.ToArray()), truncated);
    }
}
