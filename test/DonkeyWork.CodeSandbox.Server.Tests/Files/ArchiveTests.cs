using System.Text;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Files;

[Collection(FileSandboxCollection.Name)]
public sealed class ArchiveTests(FileSandbox sandbox)
{
    [Fact]
    public async Task A_directory_that_goes_out_and_comes_in_is_the_same()
    {
        var directory = await sandbox.MakeDirectoryAsync("/disk");
        await sandbox.ShellAsync($"""
            mkdir -p {directory}/from/a/empty {directory}/from/$(printf 'long%.0s' $(seq 60))/$(printf 'path%.0s' $(seq 60)); cd {directory}/from
            head -c 1234567 /dev/urandom > a/random; : > a/nothing; head -c 512 /dev/zero > block; echo x > $'new\nline'; echo ü > 'ünï☃'; chmod 751 a/random
            touch -d @1234567890 a/random; ln -s ../no/where a/link; ln -s $(printf 'far%.0s' $(seq 99)) far; d=$(echo long*/path*); echo deep > $d/file; mkfifo pipe
            """);

        using var archive = await sandbox.SendAsync(HttpMethod.Get, "", $"{directory}/from", accept: "text/html, application/x-tar;q=0.5");
        ((int)archive.StatusCode).ShouldBe(200);
        await FileSandbox.SucceedAsync(sandbox.UnpackAsync($"{directory}/to/new", await archive.Content.ReadAsStreamAsync()));

        (await sandbox.ShellAsync($"cd {directory}; rm from/pipe; diff -r --no-dereference from to/new; for d in from to/new; do (cd $d; find . ! -type d -printf '%p %m %T@ %l\\n' | sed 's/\\.[0-9]*//' | sort > ../$(basename $d).txt); done; stat -c '%a %Y' to/new/a/random"))
            .ShouldBe("751 1234567890\n");
    }

    [Fact]
    public async Task GNU_tar_reads_what_is_sent_and_its_archives_are_taken()
    {
        var directory = await sandbox.MakeDirectoryAsync("/disk");
        await sandbox.ShellAsync($"mkdir -p {directory}/from/$(printf 'long%.0s' $(seq 60)); cd {directory}/from; echo 1 > one; ln one two; ln -s one link; d=$(echo long*); echo deep > $d/f; mkdir d; chmod 700 d");
        foreach (var format in (string[])["gnu", "ustar", "pax", "v7", "oldgnu"])
        {
            // Not every format can hold the long name.
            var exclude = format is "v7" or "ustar" ? "--exclude='long*'" : "";
            await sandbox.ShellAsync($"cd {directory}; tar --format={format} {exclude} -cf {format}.tar -C from .");
            using var packed = await sandbox.GetAsync($"{directory}/{format}.tar");
            await FileSandbox.SucceedAsync(sandbox.UnpackAsync($"{directory}/{format}", await packed.Content.ReadAsStreamAsync()));
            (await sandbox.ShellAsync($"cd {directory}; diff -r --no-dereference {exclude} from {format}; stat -c '%h %a' {format}/two {format}/d | head -1; stat -c %a {format}/d")).ShouldBe("2 644\n700\n");
        }

        using var archive = await sandbox.SendAsync(HttpMethod.Get, "", $"{directory}/from", accept: "application/x-tar");
        (await Tar.NamesAsync(archive)).ShouldContain(name => name.StartsWith("longlong", StringComparison.Ordinal) && name.EndsWith("/f", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Names_that_are_not_UTF_8_are_escaped_so_that_no_two_look_the_same()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"cd {directory}; touch $'a\\xff' 'a\\xFF' 'a\\x5CxFF' 'a\\x41' 'plain'");

        using var archive = await sandbox.SendAsync(HttpMethod.Get, "", directory, accept: "application/x-tar");

        (await Tar.NamesAsync(archive)).Order(StringComparer.Ordinal)
            .ShouldBe([@"a\x41", @"a\x5Cx5CxFF", @"a\x5CxFF", @"a\xFF", "plain"]);
    }

    public static TheoryData<string, byte[][], int> Hostile => new()
    {
        { "absolute", [Tar.Entry("ok"), Tar.Entry("/tmp/escaped")], 1 },
        { "up", [Tar.Entry("ok"), Tar.Entry("../escaped")], 1 },
        { "up in the middle", [Tar.Entry("a/../../escaped")], 0 },
        { "up in a pax header", [Tar.Pax("path=../escaped"), Tar.Entry("ok")], 0 },
        { "up in a long name", [Tar.Entry("././@LongLink", 'L', "../escaped\0"), Tar.Entry("ok")], 0 },
        { "NUL in a pax header", [Tar.Pax("path=a\0b"), Tar.Entry("ok")], 0 },
        { "character device", [Tar.Entry("x", '3')], 0 },
        { "block device", [Tar.Entry("x", '4')], 0 },
        { "pipe", [Tar.Entry("x", '6')], 0 },
        { "sparse", [Tar.Entry("x", 'S')], 0 },
        { "sparse by pax", [Tar.Pax("GNU.sparse.major=1"), Tar.Entry("x")], 0 },
        { "through a link", [Tar.Entry("l", '2', target: "/tmp"), Tar.Entry("l/escaped")], 1 },
        { "through a link that was there", [Tar.Entry("old/escaped")], 0 },
        { "through two links", [Tar.Entry("a", '2', target: ".."), Tar.Entry("b", '2', target: "a/.."), Tar.Entry("b/escaped")], 2 },
        { "directory over a link", [Tar.Entry("l", '2', target: "/tmp"), Tar.Entry("l/", '5')], 1 },
        { "hard link outside", [Tar.Entry("h", '1', target: "../victim")], 0 },
        { "hard link to an absolute path", [Tar.Entry("h", '1', target: "/etc/passwd")], 0 },
        { "hard link through a link", [Tar.Entry("l", '2', target: ".."), Tar.Entry("h", '1', target: "l/victim")], 1 },
        { "hard link to a link", [Tar.Entry("l", '2', target: "../victim"), Tar.Entry("h", '1', target: "l")], 1 },
        { "too large to be cut", [Tar.Entry("x", size: "77777777777")], 0 },
        { "negative size", [Tar.Entry("x", size: "\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff")], 0 },
        { "size above all", [Tar.Entry("x", size: "\u0080\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff")], 0 },
        { "size by pax", [Tar.Pax("size=9223372036854775807"), Tar.Entry("x")], 0 },
        { "size by pax above all", [Tar.Pax("size=9223372036854775808"), Tar.Entry("x")], 0 },
        { "a header of 8 GiB", [Tar.Entry("pax", 'x', size: "77777777777")], 0 },
        { "a long name of 8 GiB", [Tar.Entry("l", 'L', size: "77777777777")], 0 },
        { "a record longer than its header", [Tar.Entry("pax", 'x', "99 path=x\n"), Tar.Entry("x")], 0 },
        { "a record of no length", [Tar.Entry("pax", 'x', "0 path=x\n"), Tar.Entry("x")], 0 },
        { "a record without an end", [Tar.Entry("pax", 'x', "9 path=xx"), Tar.Entry("x")], 0 },
        { "a header of nothing", [Tar.Pax("path=x")], 0 },
        { "a directory with content", [Tar.Entry("d/", '5', "content")], 0 },
        { "a long component", [Tar.Pax("path=" + new string('n', 300)), Tar.Entry("x")], 0 },
        { "no archive", [Encoding.ASCII.GetBytes(new string('x', 2048))], 0 },
        { "a wrong size", [Tar.Entry("x", size: "0000000009x")], 0 },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task A_hostile_archive_is_refused_with_the_count_and_leads_nowhere(string what, byte[][] entries, int unpacked)
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"cd {directory}; echo victim > victim; mkdir target outside; ln -s ../outside target/old");

        using var response = await sandbox.UnpackAsync($"{directory}/target", Tar.Archive(entries));
        var problem = JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(), ContractsJsonContext.Default.Problem)!;

        ((int)response.StatusCode).ShouldBe(400, what);
        problem.Code.ShouldBe("bad_archive", what);
        problem.Unpacked.ShouldBe(unpacked, what);
        (await sandbox.ShellAsync($"cd {directory}; find . /tmp -name escaped -o -name '.codesandbox*'; find outside -mindepth 1; stat -c %h victim"))
            .ShouldBe("1\n", what);
    }

    [Fact]
    public async Task Control_GNU_tar_told_to_trust_it_follows_the_same_archive_outside()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        using var archive = Tar.Archive(Tar.Entry("l", '2', target: "../outside"), Tar.Entry("l/escaped"));
        await FileSandbox.SucceedAsync(sandbox.PutAsync($"{directory}/x.tar", ((MemoryStream)archive).ToArray()), 201);

        (await sandbox.ShellAsync($"cd {directory}; mkdir target outside; tar -P -xf x.tar -C target 2>&1; ls outside")).ShouldBe("escaped\n");
    }

    [Theory]
    [InlineData(100)]
    [InlineData(512)]
    [InlineData(700)]
    [InlineData(1536)]
    public async Task A_cut_archive_leaves_no_part_of_a_file(int length)
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"echo old > {directory}/file");
        var archive = ((MemoryStream)Tar.Archive(Tar.Entry("file", content: new string('x', 600)))).ToArray();

        (await FileSandbox.RefusalAsync(sandbox.UnpackAsync(directory, new MemoryStream(archive, 0, length)))).ShouldBe("400 bad_archive");

        (await sandbox.ShellAsync($"cd {directory}; ls -A; head -c 3 file")).ShouldBe(length < 1536 ? "file\nold" : "file\nxxx");
    }

    [Fact]
    public async Task A_full_disk_ends_it_with_no_half_a_file()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        var large = new string('x', 40 << 20);
        using var response = await sandbox.UnpackAsync(directory, Tar.Archive(Tar.Entry("first", content: large), Tar.Entry("second", content: large)));
        var problem = JsonSerializer.Deserialize(await response.Content.ReadAsStringAsync(), ContractsJsonContext.Default.Problem)!;

        problem.Code.ShouldBe("no_space");
        problem.Unpacked.ShouldBe(1);
        (await sandbox.ShellAsync($"cd {directory}; ls -A; rm first")).ShouldBe("first\n");
    }

    [Fact]
    public async Task Links_are_made_as_they_are_written_and_files_replace_links()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"cd {directory}; echo victim > victim; mkdir target; ln -s ../victim target/x; mkdir target/d");

        await FileSandbox.SucceedAsync(sandbox.UnpackAsync(
            $"{directory}/target",
            Tar.Archive(Tar.Entry("x", content: "new"), Tar.Entry("l", '2', target: "../victim"), Tar.Entry("l", content: "over"), Tar.Entry("h", '1', target: "x"), Tar.Entry("h", '1', target: "x"), Tar.Entry("s", mode: "0006755"))));

        (await sandbox.ShellAsync($"cd {directory}; cat victim target/x target/l; stat -c '%h %F' target/x; stat -c %a target/s; ls -A target")).ShouldBe("victim\nnewover2 regular file\n755\nd\nh\nl\ns\nx\n");
        (await FileSandbox.RefusalAsync(sandbox.UnpackAsync($"{directory}/target", Tar.Archive(Tar.Entry("d"))))).ShouldBe("409 is_a_directory");
    }

    [Fact]
    public async Task A_million_entries_take_no_memory()
    {
        const int entries = 1_000_000;
        var one = Tar.Entry("d/", '5');
        var before = sandbox.ForgetPeak();
        await using var archive = new RepeatedStream(one, entries);

        await FileSandbox.SucceedAsync(sandbox.UnpackAsync("/disk/million", archive));

        (sandbox.PeakMebibytes - before).ShouldBeLessThan(FileSandbox.OwnMebibytes);
    }

    /// <summary>The same block again and again, then the end of an archive.</summary>
    private sealed class RepeatedStream(byte[] block, int times) : Stream
    {
        private readonly long _length = ((long)block.Length * times) + 1024;
        private long _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = 0;
            while (read < count && _position < _length)
            {
                var part = _position < _length - 1024 ? block.AsSpan((int)(_position % block.Length)) : new byte[_length - _position];
                part = part[..Math.Min(part.Length, count - read)];
                part.CopyTo(buffer.AsSpan(offset + read));
                read += part.Length;
                _position += part.Length;
            }

            return read;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
