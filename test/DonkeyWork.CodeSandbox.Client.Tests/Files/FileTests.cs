using System.Text;
using DonkeyWork.CodeSandbox.Client.Tests.Wire;
using DonkeyWork.CodeSandbox.Contracts;
using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Client.Tests.Files;

public sealed class FileTests(ITestOutputHelper output) : IAsyncLifetime
{
    private FakeSandbox _fake = null!;

    private SandboxFiles Files => _fake.Sandbox.Files;

    public async Task InitializeAsync() => _fake = await FakeSandbox.StartAsync(managers: 2);

    public async Task DisposeAsync() => await _fake.DisposeAsync();

    [Theory]
    [InlineData("plain")]
    [InlineData("deep/er/file.txt")]
    [InlineData("a b&c=d?e#f%20+ü\U0001F40E;'\"\n\t\\")]
    public async Task What_is_written_is_read_byte_for_byte_whatever_its_name(string path)
    {
        var bytes = Enumerable.Range(0, 256).Select(b => (byte)b).ToArray();

        var tag = await Files.WriteAsync(path, bytes).OrFail();

        (await File.ReadAllBytesAsync(Local(path))).ShouldBe(bytes);
        (await Files.ReadBytesAsync(path).OrFail()).ShouldBe(bytes);
        var info = await Files.GetInfoAsync(path).OrFail();
        (info.Path, info.Type, info.Size, info.Mode, info.ETag).ShouldBe((path, FileEntryType.File, 256, "0640", tag));
        info.ModifiedAt.ShouldBe(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }

    [Fact]
    public async Task Text_is_UTF8()
    {
        await Files.WriteTextAsync("t", "ü\n").OrFail();

        (await File.ReadAllBytesAsync(Local("t"))).ShouldBe("ü\n"u8.ToArray());
        (await Files.ReadTextAsync("t").OrFail()).ShouldBe("ü\n");
    }

    [Fact]
    public async Task A_part_of_a_file_is_read()
    {
        await Files.WriteTextAsync("t", "0123456789").OrFail();

        (await ReadAsync(3, null)).ShouldBe("3456789");
        (await ReadAsync(3, 4)).ShouldBe("3456");
        (await ReadAsync(0, 2)).ShouldBe("01");
        (await ReadAsync(8, 100)).ShouldBe("89");
        (await ReadAsync(8, long.MaxValue)).ShouldBe("89");
        (await Should.ThrowAsync<SandboxFileException>(ReadAsync(10, null))).Code.ShouldBe(ErrorCodes.RangeNotSatisfiable);
        await Files.WriteTextAsync("t", "").OrFail();
        (await ReadAsync(0, 5)).ShouldBe("");
        (await Should.ThrowAsync<SandboxFileException>(ReadAsync(1, 5))).Code.ShouldBe(ErrorCodes.RangeNotSatisfiable);

        async Task<string> ReadAsync(long offset, long? length) =>
            await new StreamReader(await Files.ReadAsync("t", offset, length).OrFail()).ReadToEndAsync().OrFail();
    }

    [Fact]
    public async Task A_download_cut_anywhere_goes_on_from_there()
    {
        var random = Seeded.Random(output);
        var expected = new byte[50_000];
        random.NextBytes(expected);
        await File.WriteAllBytesAsync(Local("big"), expected);
        var cuts = 30;
        _fake.Files.Cut = () => Interlocked.Decrement(ref cuts) >= 0 ? random.Next(0, 4000) : null;
        var progress = new Reported<long>();
        using var here = new TemporaryDirectory();

        await Files.DownloadAsync("big", here["big"], progress).OrFail();

        (await File.ReadAllBytesAsync(here["big"])).ShouldBe(expected);
        progress.Values.ShouldBe(progress.Values.Order());
        progress.Values[^1].ShouldBe(expected.Length);
        Directory.GetFiles(here.Path).Length.ShouldBe(1);
        _fake.Managers.ShouldAllBe(m => m.Server.Requests.Count > 3);
    }

    [Fact]
    public async Task A_file_that_changes_between_two_connections_is_not_mixed()
    {
        await File.WriteAllTextAsync(Local("t"), "old content");
        _fake.Files.Cut = () => 3;
        var file = await Files.ReadAsync("t").OrFail();
        (await file.ReadAtLeastAsync(new byte[3], 3).AsTask().OrFail()).ShouldBe(3);

        await File.WriteAllTextAsync(Local("t"), "new content");

        await Should.ThrowAsync<SandboxFileChangedException>(file.ReadAsync(new byte[10]).AsTask().OrFail());
        await file.DisposeAsync();
        await Should.ThrowAsync<ObjectDisposedException>(file.ReadAsync(new byte[10]).AsTask().OrFail());
    }

    [Fact]
    public async Task An_upload_whose_connection_breaks_is_sent_again_where_it_can_be()
    {
        var breaks = 0;
        _fake.Files.Before = context =>
        {
            if (context.Request.Method == "PUT" && breaks-- > 0)
                context.Abort();
            return Task.FromResult(breaks >= 0 && context.Request.Method == "PUT");
        };
        using var here = new TemporaryDirectory();
        await File.WriteAllTextAsync(here["t"], "hello");

        breaks = 3;
        await Files.UploadAsync(here["t"], "t").OrFail();
        (await File.ReadAllTextAsync(Local("t"))).ShouldBe("hello");

        breaks = 1;
        await Should.ThrowAsync<InterruptedException>(Files.WriteAsync("u", new OneWay("hello")).OrFail());
        File.Exists(Local("u")).ShouldBeFalse();
        breaks = 1;
        await Should.ThrowAsync<InterruptedException>(Files.WriteTextAsync("u", "x", new WriteOptions { CreateNew = true }).OrFail());

        breaks = 0;
        await Files.WriteAsync("u", new OneWay("one way")).OrFail();
        (await File.ReadAllTextAsync(Local("u"))).ShouldBe("one way");
    }

    [Fact]
    public async Task An_upload_that_breaks_again_and_again_is_given_up_however_long_each_attempt_lasts()
    {
        var time = new ManualTime();
        var options = new CodeSandboxClientOptions { TimeProvider = time };
        await using var fake = await FakeSandbox.StartAsync(options: options);
        var attempts = 0;
        fake.Files.Before = context =>
        {
            attempts++;
            time.Advance(options.ReconnectTimeout * 2);
            context.Abort();
            return Task.FromResult(true);
        };

        var writing = fake.Sandbox.Files.WriteTextAsync("t", "x");
        var longestPause = TimeSpan.FromMilliseconds(20);
        await time.HasSetAnyAsync(left => left > TimeSpan.Zero && left <= longestPause);
        time.Advance(longestPause);

        await Should.ThrowAsync<InterruptedException>(writing.OrFail());
        attempts.ShouldBe(2);
    }

    [Fact]
    public async Task A_stream_that_cannot_seek_is_never_sent_in_part_to_a_second_Manager()
    {
        _fake.Files.Before = async context =>
        {
            _fake.Files.Before = _ => Task.FromResult(false);
            await Sse.ProblemAsync(context, 503, "stopping");
            return true;
        };

        await Should.ThrowAsync<CodeSandboxException>(Files.WriteAsync("u", new OneWay("hello")).OrFail());

        File.Exists(Local("u")).ShouldBeFalse();
    }

    [Fact]
    public async Task What_reading_the_content_throws_reaches_the_caller()
    {
        await using var broken = new OneWay("hello", new IOException("The disk is gone."));

        (await Should.ThrowAsync<IOException>(Files.WriteAsync("u", broken).OrFail())).Message.ShouldBe("The disk is gone.");

        File.Exists(Local("u")).ShouldBeFalse();
    }

    [Fact]
    public async Task Conditions_are_kept()
    {
        var first = await Files.WriteTextAsync("t", "one", new WriteOptions { CreateNew = true }).OrFail();
        await Should.ThrowAsync<SandboxFileChangedException>(Files.WriteTextAsync("t", "two", new WriteOptions { CreateNew = true }).OrFail());
        var second = await Files.WriteTextAsync("t", "two", new WriteOptions { IfMatch = first }).OrFail();
        await Should.ThrowAsync<SandboxFileChangedException>(Files.WriteTextAsync("t", "three", new WriteOptions { IfMatch = first }).OrFail());

        second.ShouldNotBe(first);
        (await Files.ReadTextAsync("t").OrFail()).ShouldBe("two");
        await Should.ThrowAsync<FormatException>(async () => await Files.WriteTextAsync("t", "x", new WriteOptions { IfMatch = "no tag" }));
    }

    [Fact]
    public async Task Directories_are_made_listed_moved_within_and_deleted()
    {
        await Files.CreateDirectoryAsync("d/e").OrFail();
        await Files.WriteTextAsync("d/e/f", "x").OrFail();
        await Files.WriteTextAsync("d/g", "xy").OrFail();

        (await Files.ListAsync("d").Select(e => (e.Name, e.Type, e.Size)).ToListAsync().AsTask().OrFail()).Order()
            .ShouldBe([("e", FileEntryType.Directory, null), ("g", FileEntryType.File, 2)]);
        (await Files.ListAsync("d", depth: 2).Select(e => e.Name).Order().ToListAsync().AsTask().OrFail()).ShouldBe(["e", "f", "g"]);
        await Should.ThrowAsync<SandboxFileExistsException>(Files.MoveAsync("d/g", "d/e/f").OrFail());
        await Files.MoveAsync("d/g", "d/e/f", overwrite: true).OrFail();
        (await Files.ReadTextAsync("d/e/f").OrFail()).ShouldBe("xy");
        (await Should.ThrowAsync<SandboxFileException>(Files.DeleteAsync("d").OrFail())).Code.ShouldBe(ErrorCodes.DirectoryNotEmpty);
        await Files.DeleteAsync("d", recursive: true).OrFail();
        (await Files.ExistsAsync("d").OrFail()).ShouldBeFalse();
    }

    [Fact]
    public async Task A_deletion_whose_answer_is_lost_is_done_and_no_error()
    {
        await Files.WriteTextAsync("t", "x").OrFail();
        var asked = 0;
        _fake.Files.Before = context =>
        {
            if (++asked > 1)
                return Task.FromResult(false);
            File.Delete(Path.Combine(_fake.Files.Root, "t"));
            context.Abort();
            return Task.FromResult(true);
        };

        await Files.DeleteAsync("t").OrFail();

        asked.ShouldBe(2);
        await Should.ThrowAsync<SandboxFileNotFoundException>(Files.DeleteAsync("t").OrFail());
    }

    [Fact]
    public async Task What_is_not_there_is_told_as_that()
    {
        await Should.ThrowAsync<SandboxFileNotFoundException>(Files.ReadTextAsync("none").OrFail());
        (await Should.ThrowAsync<SandboxFileNotFoundException>(Files.GetInfoAsync("none").OrFail())).Message.ShouldBe("What happened.");
        await Should.ThrowAsync<SandboxFileNotFoundException>(Files.DeleteAsync("none").OrFail());
        await Should.ThrowAsync<SandboxFileNotFoundException>(Files.ListAsync("none").CountAsync().AsTask().OrFail());
        (await Should.ThrowAsync<SandboxFileException>(Files.ReadTextAsync(".").OrFail())).Code.ShouldBe(ErrorCodes.IsADirectory);
        (await Files.ExistsAsync("none").OrFail()).ShouldBeFalse();
        (await Files.ExistsAsync(".").OrFail()).ShouldBeTrue();
        await Should.ThrowAsync<SandboxNotFoundException>(_fake.Client.Attach("kata-sandbox-00000000").Files.ReadTextAsync("x").OrFail());
    }

    [Fact]
    public async Task What_appears_while_it_is_asked_for_is_there()
    {
        _fake.Files.Before = async context =>
        {
            if (context.Request.Method != "HEAD" || File.Exists(Local("t")))
                return false;
            context.Response.StatusCode = 404;
            await File.WriteAllTextAsync(Local("t"), "new");
            return true;
        };

        (await Files.GetInfoAsync("t").OrFail()).Size.ShouldBe(3);
        File.Delete(Local("t"));
        (await Files.ExistsAsync("t").OrFail()).ShouldBeTrue();
    }

    [Theory]
    [InlineData(403, "forbidden", typeof(SandboxFileForbiddenException))]
    [InlineData(507, "no_space", typeof(SandboxDiskFullException))]
    [InlineData(400, "bad_archive", typeof(BadArchiveException))]
    [InlineData(409, "not_a_directory", typeof(SandboxFileException))]
    public async Task Every_refusal_has_its_type(int status, string code, Type type)
    {
        _fake.Files.Before = async context =>
        {
            await Sse.ProblemAsync(context, status, code, ",\"unpacked\":3");
            return true;
        };

        var e = await Should.ThrowAsync<CodeSandboxException>(Files.WriteTextAsync("t", "x").OrFail());

        (e.GetType(), e.Code).ShouldBe((type, code));
        ((e as BadArchiveException)?.Unpacked ?? 3).ShouldBe(3);
    }

    [Fact]
    public async Task A_list_that_is_not_one_is_an_error()
    {
        _fake.Files.Before = async context =>
        {
            await Sse.JsonAsync(context, "[null]");
            return true;
        };

        var e = await Should.ThrowAsync<CodeSandboxException>(Files.ListAsync(".").CountAsync().AsTask().OrFail());

        e.Code.ShouldBe(ClientErrorCodes.UnexpectedResponse);
    }

    [Fact]
    public async Task Watching_tells_where_it_begins_anew_and_what_happens_between()
    {
        _fake.Files.Watches.Enqueue(new(EndsThen: true, """{"type":"created","path":"/d/a"}"""));
        _fake.Files.Watches.Enqueue(new(EndsThen: false, """{"type":"renamed","path":"/d/b","from":"/d/a"}"""));

        var changes = await Files.WatchAsync("d").Take(4).ToListAsync().AsTask().OrFail();

        changes.Select(c => (c.Type, c.Path, c.From)).ShouldBe(
        [
            (FileChangeType.Overflow, "d", null),
            (FileChangeType.Created, "/d/a", null),
            (FileChangeType.Overflow, "d", null),
            (FileChangeType.Renamed, "/d/b", "/d/a"),
        ]);
    }

    private string Local(string path) => Path.Combine(_fake.Files.Root, path);

    private sealed class OneWay(string text, Exception? end = null) : MemoryStream(Encoding.UTF8.GetBytes(text))
    {
        public override bool CanSeek => false;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            await base.ReadAsync(buffer, cancellationToken) is var count && (count > 0 || end is null) ? count : throw end;
    }
}
