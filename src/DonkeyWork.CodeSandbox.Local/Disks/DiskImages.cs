using DonkeyWork.CodeSandbox.Local.Posix;
using DonkeyWork.CodeSandbox.Local.State;

namespace DonkeyWork.CodeSandbox.Local.Disks;

/// <summary>
/// The writable part of a sandbox as root: an ext4 image of fixed size, mounted by the host. It bounds what a sandbox
/// can store, is not charged to its memory, and is deleted as one file, without walking through what the sandbox made.
/// </summary>
internal sealed class DiskImages(StateDirectory state, RuntimeProcess processes, int sizeMi)
{
    public const int BlockSize = 4096;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerDirectory = OwnerOnly | UnixFileMode.UserExecute;
    private const UnixFileMode Everybody =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private const nuint NoSetUserId = 2;
    private const nuint NoDevices = 4;
    private const nuint NoAccessTimes = 1024;
    private const int Detach = 2;
    private const int NoFollow = 8;

    private string Template => Path.Combine(state.Templates, $"disk-{sizeMi}.ext4");

    /// <summary>Makes the empty file system that every sandbox's is copied from, once per size.</summary>
    /// <exception cref="IOException">mkfs failed.</exception>
    public async Task PrepareAsync(string mkfs)
    {
        if (File.Exists(Template))
            return;
        var skeleton = Directory.CreateDirectory(Path.Combine(state.Templates, "skeleton"), OwnerDirectory).FullName;
        foreach (var name in (string[])["home", "tmp", "run"])
            Directory.CreateDirectory(Path.Combine(skeleton, name), OwnerDirectory);
        var beside = Template + ".new";
        File.Delete(beside);
        // No journal: an image never outlives a crash of the machine.
        var made = await processes.RunAsync(
            mkfs,
            ["-q", "-F", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-b", $"{BlockSize}", "-E", "lazy_itable_init=1,nodiscard", "-d", skeleton, beside, $"{sizeMi}M"],
            [],
            null,
            TimeSpan.FromSeconds(60));
        if (made.ExitCode != 0)
            throw new IOException($"{mkfs}: {made.Error}");
        File.SetUnixFileMode(beside, OwnerOnly);
        File.Move(beside, Template);
    }

    /// <summary>Makes and mounts a sandbox's disk.</summary>
    public SandboxDisk Create(string sandbox, uint owner)
    {
        var disk = new SandboxDisk(state.Of(sandbox));
        Directories.Make(disk.MountPoint, OwnerDirectory);
        using (var template = File.OpenHandle(Template))
        using (var image = File.OpenHandle(disk.Image, FileMode.Create, FileAccess.ReadWrite, FileShare.None))
        {
            SparseCopy.Copy(template, image);
            var (device, path) = LoopDevice.Attach(image, sandbox);
            using (device)
            {
                // What lazy_itable_init left out is not wanted later either: it would write to every image in the background.
                LibC.Check(LibC.Mount(path, disk.MountPoint, "ext4", NoSetUserId | NoDevices | NoAccessTimes, "noinit_itable"), $"mount of {path}");
            }
        }

        File.SetUnixFileMode(disk.MountPoint, StateDirectory.Passable);
        foreach (var directory in (string[])[disk.Home, disk.Temporary, disk.Run])
            LibC.Check(LibC.Chown(directory, owner, owner), directory);
        File.SetUnixFileMode(disk.Temporary, OwnerDirectory | Everybody | UnixFileMode.StickyBit);
        return disk;
    }

    /// <summary>Takes a sandbox's disk away, as far as it was made.</summary>
    public static void Delete(SandboxDisk disk)
    {
        if (LibC.Unmount(disk.MountPoint, Detach | NoFollow) < 0
            && System.Runtime.InteropServices.Marshal.GetLastPInvokeError() is not (LibC.Einval or LibC.Enoent))
        {
            throw PosixException.Last($"umount of {disk.MountPoint}");
        }

        File.Delete(disk.Image);
    }
}

/// <summary>Where the parts of a sandbox's disk are.</summary>
internal sealed class SandboxDisk(string directory)
{
    /// <summary>The file that holds it.</summary>
    public string Image { get; } = Path.Combine(directory, "disk.ext4");

    /// <summary>Where it is mounted.</summary>
    public string MountPoint { get; } = Path.Combine(directory, "disk");

    /// <summary>Becomes the home.</summary>
    public string Home => Path.Combine(MountPoint, "home");

    /// <summary>Becomes <c>/tmp</c>.</summary>
    public string Temporary => Path.Combine(MountPoint, "tmp");

    /// <summary>Becomes the directory of the executor's socket, where it has to make one.</summary>
    public string Run => Path.Combine(MountPoint, "run");
}
