using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using DonkeyWork.CodeSandbox.Local.Posix;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Local.Disks;

/// <summary>A file as a block device (loop(4)) that the kernel frees by itself when nothing uses it any more.</summary>
internal static class LoopDevice
{
    public const string Control = "/dev/loop-control";

    private const nuint GetFree = 0x4C82;
    private const nuint Configure = 0x4C0A;
    private const int AutoClear = 4;

    // struct loop_config: fd, block_size, struct loop_info64 (232 bytes), 64 reserved bytes (linux/loop.h).
    private const int ConfigSize = 8 + 232 + 64;
    private const int FlagsOffset = 8 + 52;
    private const int NameOffset = 8 + 56;

    /// <summary>Attaches a file. The device lives as long as this descriptor or a mount holds it.</summary>
    /// <exception cref="PosixException">There are no loop devices here.</exception>
    public static (SafeFileHandle Device, string Path) Attach(SafeFileHandle image, string label)
    {
        Span<byte> config = stackalloc byte[ConfigSize];
        config.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(config, (int)image.DangerousGetHandle());
        BinaryPrimitives.WriteInt32LittleEndian(config[4..], DiskImages.BlockSize);
        BinaryPrimitives.WriteInt32LittleEndian(config[FlagsOffset..], AutoClear);
        Encoding.UTF8.GetBytes(label.Length < 64 ? label : label[..63], config[NameOffset..]);
        using var control = Descriptors.Device(Control);
        while (true)
        {
            var number = LibC.Ioctl(control, GetFree, 0);
            LibC.Check(number, "LOOP_CTL_GET_FREE");
            var path = $"/dev/loop{number}";
            var device = Descriptors.Device(path);
            if (Set(device, config) >= 0)
                return (device, path);
            var error = Marshal.GetLastPInvokeError();
            device.Dispose();
            // EBUSY: somebody else was given the same free number and came first.
            if (error != LibC.Ebusy)
                throw new PosixException(error, $"LOOP_CONFIGURE of {path}");
        }
    }

    private static unsafe int Set(SafeFileHandle device, Span<byte> config)
    {
        fixed (byte* pointer = config)
            return LibC.Ioctl(device, Configure, (nint)pointer);
    }
}
