using System.Formats.Tar;
using System.Runtime.Versioning;
using System.Text;
using DonkeyWork.CodeSandbox.Client.Tests.Wire;
using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Client.Tests.Files;

/// <summary>Whole directories; and whatever a sandbox sends as one, nothing is written outside of the destination.</summary>
[SupportedOSPlatform("linux")]
public sealed class DirectoryTests(ITestOutputHelper output) : IAsyncLifetime, IDisposable
{
    private readonly TemporaryDirectory _here = new();
    private FakeSandbox _fake = null!;

    private SandboxFiles Files => _fake.Sandbox.Files;

    private string Destination => _here["destination"];

    public static TheoryData<string> Escapes => ["/etc/x", "../x", "d/../../x", "d/..", ".."];

    public async Task InitializeAsync() => _fake = await FakeSandbox.StartAsync(managers: 2);

    public async Task DisposeAsync() => await _fake.DisposeAsync();

    public void Dispose() => _here.Dispose();

    [Fact]
    public async Task A_directory_goes_in_and_comes_out_again_the_same()
    {
        var source = Directory.CreateDirectory(_here["source"]).FullName;
        Directory.CreateDirectory(Path.Combine(source, "deep", "empty"));
        await File.WriteAllBytesAsync(Path.Combine(source, "deep", "ü " + new string('n', 200)), [0, 255, 13, 10]);
        await File.WriteAllTextAsync(Path.Combine(source, "run.sh"), "#!/bin/sh\n");
        File.SetUnixFileMode(Path.Combine(source, "run.sh"), (UnixFileMode)0x1ED);
        File.CreateSymbolicLink(Path.Combine(source, "deep", "link"), "../run.sh");
        var up = new Reported<TransferProgress>();

        await Files.UploadDirectoryAsync(source, "d", up).OrFail();
        var down = await Files.DownloadDirectoryAsync("d", Destination).OrFail();

        (down.Files, down.Bytes, down.SkippedLinks.Count).ShouldBe((2, 14, 0));
        up.Values[^1].ShouldBe(new TransferProgress(2, 14));
        Tree(Destination).ShouldBe(Tree(source));
        File.GetUnixFileMode(Path.Combine(Destination, "run.sh")).ShouldBe((UnixFileMode)0x1ED);
    }

    [Fact]
    public async Task A_directory_whose_connection_breaks_is_begun_again()
    {
        var random = Seeded.Random(output);
        var content = new byte[20_000];
        random.NextBytes(content);
        Directory.CreateDirectory(Path.Combine(_fake.Files.Root, "d"));
        await File.WriteAllBytesAsync(Path.Combine(_fake.Files.Root, "d", "f"), content);
        var cuts = 5;
        _fake.Files.Cut = () => cuts-- > 0 ? random.Next(0, 22_000) : null;

        var down = await Files.DownloadDirectoryAsync("d", Destination).OrFail();

        (await File.ReadAllBytesAsync(Path.Combine(Destination, "f"))).ShouldBe(content);
        (down.Files, down.Bytes).ShouldBe((1, content.Length));
        Directory.GetFileSystemEntries(Destination).Length.ShouldBe(1);
    }

    [Theory]
    [MemberData(nameof(Escapes))]
    public async Task A_name_that_leaves_the_directory_is_refused(string name)
    {
        foreach (var type in new[] { TarEntryType.RegularFile, TarEntryType.Directory, TarEntryType.SymbolicLink })
        {
            Archive(Raw(type, name, "target"));

            await Should.ThrowAsync<BadArchiveException>(DownloadAsync(), $"{type}");
        }

        ShouldBeEmptyOutside();
    }

    [Theory]
    [InlineData(TarEntryType.Fifo)]
    [InlineData(TarEntryType.CharacterDevice)]
    [InlineData(TarEntryType.BlockDevice)]
    public async Task A_device_is_refused(TarEntryType type)
    {
        Archive(Raw(type, "x"));

        await Should.ThrowAsync<BadArchiveException>(DownloadAsync());

        Directory.GetFileSystemEntries(Destination).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("/tmp")]
    [InlineData("..")]
    [InlineData("d/../../outside")]
    [InlineData("")]
    public async Task A_link_that_points_out_is_left_out(string target)
    {
        Archive(Raw(TarEntryType.SymbolicLink, "link", target), Raw(TarEntryType.RegularFile, "file"));

        (await DownloadAsync()).SkippedLinks.ShouldBe(["link"]);

        Tree(Destination).ShouldBe(["file = "]);
    }

    [Fact]
    public async Task Nothing_is_written_through_a_link_that_the_archive_brings()
    {
        Archive(
            Raw(TarEntryType.SymbolicLink, "out", "../outside"),
            Raw(TarEntryType.RegularFile, "out/file"),
            Raw(TarEntryType.SymbolicLink, "in", "d"),
            Raw(TarEntryType.RegularFile, "in/file"),
            // Each by itself stays inside; one through the other would not.
            Raw(TarEntryType.SymbolicLink, "here", "."),
            Raw(TarEntryType.SymbolicLink, "deep/up", "../here/../.."),
            Raw(TarEntryType.HardLink, "hard", "/etc/passwd"));

        var down = await DownloadAsync();

        ShouldBeEmptyOutside();
        down.SkippedLinks.Order().ShouldBe(["deep/up", "hard", "in", "out"]);
        Tree(Destination).ShouldBe(["here -> .", "in/", "in/file = ", "out/", "out/file = "]);
    }

    [Fact]
    public async Task Nothing_is_written_through_a_link_that_is_there()
    {
        Directory.CreateDirectory(Destination);
        Directory.CreateDirectory(_here["outside"]);
        await File.WriteAllTextAsync(_here["victim"], "untouched");
        File.CreateSymbolicLink(Path.Combine(Destination, "out"), _here["outside"]);
        File.CreateSymbolicLink(Path.Combine(Destination, "file"), _here["victim"]);

        Archive(Raw(TarEntryType.RegularFile, "file"), Raw(TarEntryType.RegularFile, "out/file"));
        await Should.ThrowAsync<BadArchiveException>(DownloadAsync());

        ShouldBeEmptyOutside();
        (await File.ReadAllTextAsync(_here["victim"])).ShouldBe("untouched");
        new FileInfo(Path.Combine(Destination, "file")).LinkTarget.ShouldBeNull();
    }

    [Fact]
    public async Task A_link_made_before_it_is_not_gone_through_by_the_next_one()
    {
        Directory.CreateDirectory(_here["outside"]);
        Archive(Raw(TarEntryType.SymbolicLink, "a", "d"), Raw(TarEntryType.SymbolicLink, "a/b", "c"), Raw(TarEntryType.Directory, "d"));

        (await DownloadAsync()).SkippedLinks.ShouldBe(["a/b"]);

        Tree(Destination).ShouldBe(["a -> d", "d/"]);
    }

    [Fact]
    public async Task What_is_no_archive_is_told_as_that()
    {
        byte[][] all =
        [
            "garbage"u8.ToArray(),
            [.. Enumerable.Repeat((byte)'x', 2048)],
            Raw(TarEntryType.RegularFile, "x", size: 5000),
            Raw(TarEntryType.RegularFile, "."),
            Raw(TarEntryType.RegularFile, "./"),
            // Longer than an array can be.
            Raw(TarEntryType.ExtendedAttributes, "x", size: int.MaxValue),
            Raw(TarEntryType.LongPath, "x", size: int.MaxValue),
        ];
        foreach (var garbage in all)
        {
            _fake.Files.Archive = garbage;
            await Should.ThrowAsync<BadArchiveException>(DownloadAsync());
        }
    }

    [Theory]
    [InlineData(100_000, true)]
    [InlineData(2_000_000, false)]
    public async Task What_is_said_about_a_file_is_bounded_and_what_is_in_it_is_not(int about, bool isTaken)
    {
        // A comment, by POSIX' pax: "LENGTH KEY=VALUE\n", its own digits counted.
        var comment = $"comment={new string('c', about)}\n";
        var length = comment.Length + 1 + comment.Length.ToString().Length;
        Archive(
            Raw(TarEntryType.ExtendedAttributes, "x", size: length), Padded(Encoding.ASCII.GetBytes($"{length} {comment}")),
            Raw(TarEntryType.RegularFile, "f", size: 3_000_000), Padded(new byte[3_000_000]));

        if (isTaken)
            (await DownloadAsync()).Bytes.ShouldBe(3_000_000);
        else
            await Should.ThrowAsync<BadArchiveException>(DownloadAsync());
    }

    [Fact]
    public async Task More_than_was_allowed_is_refused()
    {
        await File.WriteAllBytesAsync(Path.Combine(_fake.Files.Root, "f"), new byte[100_000]);

        await Should.ThrowAsync<BadArchiveException>(Files.DownloadDirectoryAsync(".", Destination, new DirectoryDownloadOptions { MaxBytes = 50_000 }).OrFail());

        Directory.GetFileSystemEntries(Destination).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_directory_that_is_not_there_is_told_as_that()
    {
        await Should.ThrowAsync<SandboxFileNotFoundException>(Files.DownloadDirectoryAsync("none", Destination).OrFail());
        await Should.ThrowAsync<DirectoryNotFoundException>(Files.UploadDirectoryAsync(_here["none"], "d").OrFail());
    }

    private static List<string> Tree(string root) => [.. Below(root).Select(e => Path.GetRelativePath(root, e)).Order(StringComparer.Ordinal)];

    // A recursive enumeration would follow links.
    private static IEnumerable<string> Below(string directory) =>
        new DirectoryInfo(directory).EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0 }).SelectMany(e => e switch
        {
            { LinkTarget: { } target } => [$"{e.FullName} -> {target}"],
            DirectoryInfo => Below(e.FullName).Prepend(e.FullName + "/"),
            _ => [$"{e.FullName} = {Convert.ToHexString(File.ReadAllBytes(e.FullName))}"],
        });

    // By hand: the framework's writer makes no archive that is hostile.
    private static byte[] Raw(TarEntryType type, string name, string link = "", int size = 0)
    {
        var header = new byte[512];
        Encoding.ASCII.GetBytes(name, header);
        "0000644\0"u8.CopyTo(header.AsSpan(100));
        "0000000\0"u8.CopyTo(header.AsSpan(108));
        "0000000\0"u8.CopyTo(header.AsSpan(116));
        Encoding.ASCII.GetBytes(Convert.ToString(size, 8).PadLeft(11, '0'), header.AsSpan(124));
        "00000000000"u8.CopyTo(header.AsSpan(136));
        header[156] = (byte)type;
        Encoding.ASCII.GetBytes(link, header.AsSpan(157));
        "ustar\0"u8.CopyTo(header.AsSpan(257));
        "00"u8.CopyTo(header.AsSpan(263));
        header.AsSpan(148, 8).Fill((byte)' ');
        Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0 ", header.AsSpan(148));
        return header;
    }

    private static byte[] Padded(byte[] data) => [.. data, .. new byte[(512 - (data.Length % 512)) % 512]];

    private void Archive(params byte[][] entries) => _fake.Files.Archive = [.. entries.SelectMany(e => e), .. new byte[1024]];

    private Task<DirectoryDownload> DownloadAsync() => Files.DownloadDirectoryAsync(".", Destination).OrFail();

    private void ShouldBeEmptyOutside()
    {
        foreach (var entry in Directory.GetFileSystemEntries(_here.Path))
            Path.GetFileName(entry).ShouldBeOneOf("destination", "outside", "victim");
        if (Directory.Exists(_here["outside"]))
            Directory.GetFileSystemEntries(_here["outside"]).ShouldBeEmpty();
    }
}
