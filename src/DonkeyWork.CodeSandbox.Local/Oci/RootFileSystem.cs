using System.Text;
using DonkeyWork.CodeSandbox.Local.Posix;
using DonkeyWork.CodeSandbox.Local.State;

namespace DonkeyWork.CodeSandbox.Local.Oci;

/// <summary>
/// The root file system that all sandboxes share read-only: the host's <c>/usr</c> with what it links into, a minimal
/// <c>/etc</c>, empty mount points, and nothing else of the host.
/// </summary>
internal static class RootFileSystem
{
    /// <summary>What a sandbox's user is called inside.</summary>
    public const string User = "user";

    /// <summary>Its home.</summary>
    public const string Home = "/home/user";

    /// <summary>Where the executor is.</summary>
    public const string Executor = "/opt/codesandbox";

    /// <summary>Where a runtime that takes no listening socket has the executor make one.</summary>
    public const string SocketDirectory = "/run/codesandbox";

    /// <summary>User and group id inside.</summary>
    public const uint UserId = 1000;

    /// <summary>Where something is mounted in every sandbox; an image has to have them.</summary>
    public static readonly IReadOnlyList<string> MountPoints =
        ["/proc", "/dev", "/tmp", Home, Executor, SocketDirectory];

    private const UnixFileMode Everybody =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead
        | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    // What programs in /usr reach through /etc. Certificates are links into /usr/share/ca-certificates.
    private static readonly string[] FromHost =
    [
        "/etc/alternatives", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/ca-certificates.conf", "/etc/ld.so.cache",
        "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/mime.types", "/etc/magic", "/etc/protocols", "/etc/services",
    ];

    private static readonly (string Path, string Content)[] Files =
    [
        ("etc/passwd", $"root:x:0:0:root:/root:/usr/sbin/nologin\n{User}:x:1000:1000::{Home}:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"),
        ("etc/group", $"root:x:0:\n{User}:x:1000:\nnogroup:x:65534:\n"),
        ("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
        ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n"),
        ("etc/resolv.conf", "# A sandbox has no network.\n"),
        ("etc/profile", "export PS1='\\u@\\h:\\w\\$ '\nfor i in /etc/profile.d/*.sh; do [ -r \"$i\" ] && . \"$i\"; done\nunset i\n"),
        ("etc/bash.bashrc", "PS1='\\u@\\h:\\w\\$ '\n"),
        ("etc/shells", "/bin/sh\n/bin/bash\n"),
    ];

    private static readonly (string Path, string Target)[] Links =
    [
        // The kernel knows the name of each sandbox: the template needs no file per sandbox.
        ("etc/hostname", "/proc/sys/kernel/hostname"),
        ("etc/mtab", "/proc/self/mounts"),
        ("etc/os-release", "../usr/lib/os-release"),
        ("etc/localtime", "/usr/share/zoneinfo/Etc/UTC"),
        ("var/run", "/run"),
        ("var/tmp", "/tmp"),
    ];

    /// <summary>Makes the template, or mends it.</summary>
    /// <param name="path">Where.</param>
    /// <param name="hostRoot">The host's root directory.</param>
    public static void Prepare(string path, string hostRoot = "/")
    {
        foreach (var directory in (string[])["", "usr", "etc", "run", "var", "root", "sys", "mnt", "opt", "home", "etc/ssl", .. MountPoints.Select(point => point[1..])])
            Directories.Make(Path.Combine(path, directory), Everybody);

        // runc before 1.2 gives a tmpfs the mode of its mount point, whatever its options say.
        File.SetUnixFileMode(Path.Combine(path, "tmp"), Everybody | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite | UnixFileMode.StickyBit);
        File.SetUnixFileMode(Path.Combine(path, Home[1..]), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var (name, content) in Files)
            WriteOnce(Path.Combine(path, name), content);
        foreach (var (name, target) in Links)
            Link(Path.Combine(path, name), target);
        foreach (var name in (string[])["bin", "sbin", "lib", "lib32", "lib64", "libx32"])
        {
            if (Directory.Exists(Path.Combine(hostRoot, "usr", name)))
                Link(Path.Combine(path, name), $"usr/{name}");
        }

        foreach (var shared in Shared(hostRoot))
        {
            var target = Path.Combine(path, shared[1..]);
            if (Directory.Exists(Path.Combine(hostRoot, shared[1..])))
            {
                Directories.Make(target, Everybody);
            }
            else
            {
                Directories.Make(Path.GetDirectoryName(target)!, Everybody);
                WriteOnce(target, "");
            }
        }
    }

    /// <summary>Host paths that every sandbox sees read-only beside <c>/usr</c>: only those that are no link to elsewhere.</summary>
    public static IEnumerable<string> Shared(string hostRoot = "/") =>
        FromHost.Where(path => new FileInfo(Path.Combine(hostRoot, path[1..])) is var file
            && (file.Exists || Directory.Exists(file.FullName)) && file.LinkTarget is null);

    private static void WriteOnce(string path, string content)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        // Only where it differs: the new file is another one, and what sandboxes have mounted on the old would go with it.
        if (!File.Exists(path) || !Holds(path, bytes))
            AtomicFile.Write(path, bytes);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
    }

    // Not by .NET's own open, which fails where somebody holds a lock (flock(2)), as every sandbox can on what it reads.
    private static bool Holds(string path, byte[] content)
    {
        using var file = Descriptors.Reader(path);
        var held = new byte[content.Length];
        return RandomAccess.GetLength(file) == held.Length && RandomAccess.Read(file, held, 0) == held.Length && held.AsSpan().SequenceEqual(content);
    }

    private static void Link(string path, string target)
    {
        var file = new FileInfo(path);
        if (file.LinkTarget == target)
            return;
        if (file.LinkTarget is not null || file.Exists)
            file.Delete();
        File.CreateSymbolicLink(path, target);
    }
}
