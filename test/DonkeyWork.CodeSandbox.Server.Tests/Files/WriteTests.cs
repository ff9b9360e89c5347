using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using DonkeyWork.CodeSandbox.Server.Tests.Running;

namespace DonkeyWork.CodeSandbox.Server.Tests.Files;

[Collection(FileSandboxCollection.Name)]
public sealed class WriteTests(FileSandbox sandbox)
{
    [Fact]
    public async Task Every_byte_arrives_and_missing_parents_are_made()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        var content = RandomNumberGenerator.GetBytes(3_000_000);

        await FileSandbox.SucceedAsync(sandbox.PutAsync($"{directory}/a/b/c/file", content), 201);

        (await sandbox.ShellAsync($"sha256sum < {directory}/a/b/c/file"))[..64].ShouldBe(Convert.ToHexStringLower(SHA256.HashData(content)));
        (await sandbox.ShellAsync($"stat -c %a {directory}/a/b/c/file {directory}/a/b")).ShouldBe("644\n755\n");
    }

    [Fact]
    public async Task A_file_that_is_replaced_keeps_its_mode_and_its_links_stay()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"cd {directory}; mkdir real; echo old > real/file; chmod 751 real/file; ln -s real/file one; ln -s ../{Path.GetFileName(directory)}/one two; ln -s real/new dangling");

        using var response = await sandbox.PutAsync($"{directory}/two", "new"u8.ToArray());
        await FileSandbox.SucceedAsync(sandbox.PutAsync($"{directory}/dangling", "made"u8.ToArray()), 201);

        ((int)response.StatusCode).ShouldBe(204);
        (await sandbox.ShellAsync($"cd {directory}; cat real/file real/new; stat -c %a real/file; stat -c %F one two dangling; ls -A . real"))
            .ShouldBe("newmade751\nsymbolic link\nsymbolic link\nsymbolic link\n.:\ndangling\none\nreal\ntwo\n\nreal:\nfile\nnew\n");
        using var read = await sandbox.GetAsync($"{directory}/one");
        read.Headers.ETag.ShouldBe(response.Headers.ETag);
    }

    [Fact]
    public async Task A_condition_that_does_not_hold_changes_nothing()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        using var first = await sandbox.PutAsync($"{directory}/file", "one"u8.ToArray(), ("If-None-Match", "*"));
        var tag = first.Headers.ETag!.ToString();

        (await FileSandbox.RefusalAsync(sandbox.PutAsync($"{directory}/file", "x"u8.ToArray(), ("If-None-Match", "*")))).ShouldBe("412 precondition_failed");
        (await FileSandbox.RefusalAsync(sandbox.PutAsync($"{directory}/file", "x"u8.ToArray(), ("If-Match", "\"other\"")))).ShouldBe("412 precondition_failed");
        (await FileSandbox.RefusalAsync(sandbox.PutAsync($"{directory}/none", "x"u8.ToArray(), ("If-Match", "*")))).ShouldBe("412 precondition_failed");
        (await FileSandbox.RefusalAsync(sandbox.PutAsync($"{directory}/file", "x"u8.ToArray(), ("If-Match", "unquoted")))).ShouldBe("400 invalid_request");
        await FileSandbox.SucceedAsync(sandbox.PutAsync($"{directory}/file", "two"u8.ToArray(), ("If-Match", tag)));
        (await FileSandbox.RefusalAsync(sandbox.PutAsync($"{directory}/file", "x"u8.ToArray(), ("If-Match", tag)))).ShouldBe("412 precondition_failed");
        (await sandbox.ShellAsync($"cd {directory}; cat file; ls -A")).ShouldBe("twofile\n");
    }

    [Theory]
    [InlineData("If-None-Match")]
    [InlineData("If-Match")]
    public async Task Of_many_writers_with_one_condition_one_succeeds(string header)
    {
        const int writers = 16;
        var directory = await sandbox.MakeDirectoryAsync();
        var condition = "*";
        if (header == "If-Match")
        {
            using var first = await sandbox.PutAsync($"{directory}/file", [0]);
            condition = first.Headers.ETag!.ToString();
        }

        var statuses = await Task.WhenAll(Enumerable.Range(0, writers).Select(async writer =>
        {
            using var response = await sandbox.PutAsync($"{directory}/file", [.. Enumerable.Repeat((byte)writer, 100_000)], (header, condition));
            return (int)response.StatusCode;
        }));

        statuses.Count(status => status is 201 or 204).ShouldBe(1);
        statuses.Count(status => status == 412).ShouldBe(writers - 1);
        (await sandbox.ShellAsync($"ls -A {directory}")).ShouldBe("file\n");
    }

    [Theory]
    [InlineData("Content-Length: 1000000")]
    [InlineData("Transfer-Encoding: chunked")]
    public async Task A_cut_upload_leaves_the_old_file_and_nothing_else(string length)
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"echo old > {directory}/file");
        foreach (var name in (string[])["file", "new/parent/file"])
        {
            using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(sandbox.Api.SocketPath));
                await socket.SendAsync(Encoding.ASCII.GetBytes($"PUT /api/files?path={directory}/{name} HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n"));
                await socket.SendAsync(Encoding.ASCII.GetBytes("20000\r\n" + new string('x', 0x20000)));
                await Published.EventuallyAsync(() => Directory.EnumerateFiles(sandbox.OnHost(directory)).Any(IsTemporary), "nothing is being written");
            }

            await Published.EventuallyAsync(() => !Directory.EnumerateFiles(sandbox.OnHost(directory)).Any(IsTemporary), "the rest of a cut upload stays");
        }

        (await sandbox.ShellAsync($"cd {directory}; find . -type f; cat file; find . -type d")).ShouldBe("./file\nold\n.\n");
    }

    [Fact]
    public async Task A_full_disk_is_told_and_leaves_nothing_behind()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"echo old > {directory}/file; df --output=avail /home/user | tail -1 > /tmp/before");

        (await FileSandbox.RefusalAsync(sandbox.PutAsync($"{directory}/file", new byte[70 << 20]))).ShouldBe("507 no_space");
        (await FileSandbox.RefusalAsync(sandbox.PutAsync($"{directory}/deep/new/file", new byte[70 << 20]))).ShouldBe("507 no_space");

        (await sandbox.ShellAsync($"cd {directory}; find . ; cat file; df --output=avail /home/user | tail -1 | diff - /tmp/before")).ShouldBe(".\n./file\nold\n");
    }

    [Fact]
    public async Task Two_gibibytes_are_taken_by_a_small_executor()
    {
        const long size = 2L << 30;
        var before = sandbox.ForgetPeak();
        using var zeros = new LimitedZeros(size);

        await FileSandbox.SucceedAsync(sandbox.SendAsync(HttpMethod.Put, "", "/disk/uploaded", new StreamContent(zeros)), 201);

        (await sandbox.ShellAsync("stat -c %s /disk/uploaded")).ShouldBe($"{size}\n");
        (sandbox.PeakMebibytes - before).ShouldBeLessThan(FileSandbox.OwnMebibytes);
        await FileSandbox.SucceedAsync(sandbox.SendAsync(HttpMethod.Delete, "", "/disk/uploaded"));
    }

    [Fact]
    public async Task What_may_not_be_written_is_refused_and_stays()
    {
        var directory = await sandbox.MakeDirectoryAsync();
        await sandbox.ShellAsync($"cd {directory}; mkdir folder; mkfifo pipe; echo fixed > fixed; chmod 444 fixed; mkdir closed; chmod 555 closed; ln -s loop loop");

        (await FileSandbox.RefusalAsync(sandbox.PutAsync($"{directory}/folder", [1]))).ShouldBe("409 is_a_directory");
        (await FileSandbox.RefusalAsync(sandbox.PutAsync($"{directory}/new/", [1]))).ShouldBe("409 is_a_directory");
        (await FileSandbox.RefusalAsync(sandbox.PutAsync($"{directory}/pipe", [1]))).ShouldBe("403 forbidden");
        (await FileSandbox.RefusalAsync(sandbox.PutAsync($"{directory}/fixed", [1]))).ShouldBe("403 forbidden");
        (await FileSandbox.RefusalAsync(sandbox.PutAsync($"{directory}/closed/file", [1]))).ShouldBe("403 forbidden");
        (await FileSandbox.RefusalAsync(sandbox.PutAsync($"{directory}/fixed/file", [1]))).ShouldBe("409 not_a_directory");
        (await FileSandbox.RefusalAsync(sandbox.PutAsync($"{directory}/loop", [1]))).ShouldBe("400 invalid_request");
        (await FileSandbox.RefusalAsync(sandbox.PutAsync("/usr/bin/new", [1]))).ShouldBe("403 forbidden");
        (await FileSandbox.RefusalAsync(sandbox.PutAsync("/dev/null", [1]))).ShouldBe("403 forbidden");
        (await sandbox.ShellAsync($"cd {directory}; find . | sort; cat fixed; chmod 755 closed")).ShouldBe(".\n./closed\n./fixed\n./folder\n./loop\n./pipe\nfixed\n");
    }

    private static bool IsTemporary(string path) => Path.GetFileName(path).StartsWith(".codesandbox-", StringComparison.Ordinal);

    private sealed class LimitedZeros(long length) : Stream
    {
        private long _left = length;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = (int)Math.Min(count, _left);
            _left -= read;
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
