using System.Security.Cryptography;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Files;

[Collection(FileSandboxCollection.Name)]
public sealed class ReadTests(FileSandbox sandbox)
{
    [Fact]
    public async Task A_file_arrives_byte_for_byte_and_as_nothing_that_a_browser_would_show()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"head -c 3000000 /dev/urandom > {directory}/random");
        var expected = (await sandbox.ShellAsync($"sha256sum < {directory}/random"))[..64];

        using var response = await sandbox.GetAsync($"{directory}/random");
        var content = await response.Content.ReadAsByteArrayAsync();

        Convert.ToHexStringLower(SHA256.HashData(content)).ShouldBe(expected);
        response.Content.Headers.ContentType!.ToString().ShouldBe("application/octet-stream");
        response.Content.Headers.ContentDisposition!.ToString().ShouldBe("attachment");
        response.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        response.Headers.GetValues("X-File-Mode").ShouldBe(["0644"]);
        response.Headers.GetValues("X-File-Type").ShouldBe(["file"]);
        response.Content.Headers.LastModified!.Value.ToUnixTimeSeconds()
            .ShouldBe(long.Parse(await sandbox.ShellAsync($"stat -c %Y {directory}/random"), null));
    }

    [Fact]
    public async Task A_path_may_be_relative_to_home()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"echo here > {directory}/file");

        using var response = await sandbox.GetAsync($"{Path.GetFileName(directory)}/./x/../file".Replace("x/../", "", StringComparison.Ordinal));

        (await response.Content.ReadAsStringAsync()).ShouldBe("here\n");
    }

    [Theory]
    [InlineData("bytes=2-4", 206, "234", "bytes 2-4/10")]
    [InlineData("bytes=7-", 206, "789", "bytes 7-9/10")]
    [InlineData("bytes=-3", 206, "789", "bytes 7-9/10")]
    [InlineData("bytes=-30", 206, "0123456789", "bytes 0-9/10")]
    [InlineData("bytes=8-99999999999999", 206, "89", "bytes 8-9/10")]
    [InlineData("bytes=0-1,3-4", 200, "0123456789", null)]
    [InlineData("bytes=4-2", 200, "0123456789", null)]
    [InlineData("lines=1-2", 200, "0123456789", null)]
    [InlineData("bytes=10-", 416, null, "bytes */10")]
    [InlineData("bytes=-0", 416, null, "bytes */10")]
    public async Task A_range_is_that_part_and_what_is_none_is_the_whole(string range, int status, string? content, string? contentRange)
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"printf 0123456789 > {directory}/digits");

        using var response = await sandbox.GetAsync($"{directory}/digits", ("Range", range));

        ((int)response.StatusCode).ShouldBe(status);
        (response.Content.Headers.TryGetValues("Content-Range", out var values) ? values.Single() : null).ShouldBe(contentRange);
        if (content is not null)
            (await response.Content.ReadAsStringAsync()).ShouldBe(content);
    }

    [Fact]
    public async Task A_range_of_what_the_file_was_before_is_the_whole_new_file()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"printf 0123456789 > {directory}/digits");
        using var first = await sandbox.GetAsync($"{directory}/digits", ("Range", "bytes=0-4"));
        var tag = first.Headers.ETag!.ToString();
        using var second = await sandbox.GetAsync($"{directory}/digits", ("Range", "bytes=5-"), ("If-Range", tag));
        (await second.Content.ReadAsStringAsync()).ShouldBe("56789");
        using var known = await sandbox.GetAsync($"{directory}/digits", ("If-None-Match", tag));
        ((int)known.StatusCode).ShouldBe(304);

        // The same size, and the same date, which anybody can set.
        await sandbox.ShellAsync($"cd {directory}; touch -r digits date; printf abcdefghij > digits; touch -r date digits");
        using var third = await sandbox.GetAsync($"{directory}/digits", ("Range", "bytes=5-"), ("If-Range", tag));

        (await third.Content.ReadAsStringAsync()).ShouldBe("abcdefghij");
        (await FileSandbox.RefusalAsync(sandbox.GetAsync($"{directory}/digits", ("If-Match", tag)))).ShouldBe("412 precondition_failed");
        (await FileSandbox.RefusalAsync(sandbox.GetAsync($"{directory}/digits", ("If-Match", "no quotes")))).ShouldBe("400 invalid_request");
    }

    [Fact]
    public async Task A_head_tells_without_the_content()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"cd {directory}; printf 12345 > file; chmod 640 file; ln -s file link; mkfifo pipe");

        using var file = await sandbox.SendAsync(HttpMethod.Head, "", $"{directory}/link");
        file.Content.Headers.ContentLength.ShouldBe(5);
        file.Headers.GetValues("X-File-Mode").ShouldBe(["0640"]);
        file.Headers.ETag.ShouldNotBeNull();
        using var folder = await sandbox.SendAsync(HttpMethod.Head, "", directory);
        folder.Headers.GetValues("X-File-Type").ShouldBe(["directory"]);
        using var pipe = await sandbox.SendAsync(HttpMethod.Head, "", $"{directory}/pipe");
        ((int)pipe.StatusCode).ShouldBe(403);
        using var none = await sandbox.SendAsync(HttpMethod.Head, "", $"{directory}/none");
        ((int)none.StatusCode).ShouldBe(404);
    }

    [Theory]
    [InlineData("touch -d @99999999999 $f")]
    [InlineData("touch -d @-99999999999 $f")]
    [InlineData("perl -e 'utime 0, 9e17, $ENV{f}'")]
    public async Task A_date_that_no_calendar_has_does_no_harm(string command)
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"export f={directory}/file; echo content > $f; {command}");

        using var response = await sandbox.GetAsync($"{directory}/file");

        (await response.Content.ReadAsStringAsync()).ShouldBe("content\n");
        (await sandbox.ListAsync(directory)).Length.ShouldBe(1);
    }

    [Fact]
    public async Task A_file_that_shrinks_while_it_is_read_breaks_the_response()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"truncate -s 100M {directory}/sparse");
        using var response = await sandbox.GetAsync($"{directory}/sparse");
        using var body = await response.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[1000]);

        await sandbox.ShellAsync($"truncate -s 0 {directory}/sparse");

        (await Should.ThrowAsync<HttpIOException>(() => body.CopyToAsync(Stream.Null))).HttpRequestError.ShouldBe(HttpRequestError.ResponseEnded);
    }

    [Fact]
    public async Task What_is_added_while_it_is_read_is_not_sent_and_a_link_that_is_swapped_changes_nothing()
    {
        var directory = await sandbox.MakeDirectoryAsync("/disk");
        await sandbox.ShellAsync($"cd {directory}; head -c 40M /dev/zero > old; echo new > new; ln -s old link");
        using var response = await sandbox.GetAsync($"{directory}/link");
        using var body = await response.Content.ReadAsStreamAsync();
        await body.ReadExactlyAsync(new byte[1000]);

        await sandbox.ShellAsync($"cd {directory}; echo more >> old; ln -sfn new link");

        var rest = new MemoryStream();
        await body.CopyToAsync(rest);
        rest.Length.ShouldBe(40 * 1024 * 1024 - 1000);
        rest.ToArray().AsSpan().IndexOfAnyExcept((byte)0).ShouldBe(-1);
    }

    [Fact]
    public async Task Two_gibibytes_go_through_a_small_executor_while_many_read_slowly()
    {
        const int readers = 40;
        const long size = 2L << 30;
        var before = sandbox.ForgetPeak();
        await sandbox.ShellAsync($"truncate -s {size} /disk/large");
        var slow = new List<HttpResponseMessage>();
        for (var reader = 0; reader < readers; reader++)
            slow.Add(await sandbox.GetAsync("/disk/large"));

        using var response = await sandbox.GetAsync("/disk/large");
        using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[1 << 20];
        long received = 0;
        for (int count; (count = await body.ReadAsync(buffer)) > 0;)
            received += count;

        received.ShouldBe(size);
        var stats = await sandbox.Api.StatsAsync();
        stats.OpenStreams.ShouldBeGreaterThanOrEqualTo(readers);
        foreach (var one in slow)
            one.Dispose();
        (sandbox.PeakMebibytes - before).ShouldBeLessThan(FileSandbox.OwnMebibytes);
        await Published.EventuallyAsync(() => sandbox.Api.StatsAsync().GetAwaiter().GetResult().OpenStreams == 0, "streams stay open");
    }
}
