using DonkeyWork.CodeSandbox.Local.Posix;
using Microsoft.Win32.SafeHandles;

namespace DonkeyWork.CodeSandbox.Local.Disks;

/// <summary>Copies a file that is mostly holes: shares its blocks where the file system can, else copies only what is written.</summary>
internal static class SparseCopy
{
    private const nuint CloneFile = 0x4004_9409; // FICLONE (ioctl_ficlone(2))
    private const int SeekData = 3;
    private const int SeekHole = 4;

    public static void Copy(SafeFileHandle source, SafeFileHandle target)
    {
        if (LibC.Ioctl(target, CloneFile, source.DangerousGetHandle()) == 0)
            return;
        var length = RandomAccess.GetLength(source);
        RandomAccess.SetLength(target, length);
        for (long at = 0; at < length;)
        {
            at = LibC.Seek(source, at, SeekData);
            if (at < 0)
            {
                // ENXIO: nothing but a hole from here to the end.
                if (System.Runtime.InteropServices.Marshal.GetLastPInvokeError() == LibC.Enxio)
                    return;
                throw PosixException.Last("lseek");
            }

            var end = LibC.Seek(source, at, SeekHole);
            LibC.Check(end, "lseek");
            for (var to = at; at < end;)
            {
                var copied = LibC.CopyFileRange(source, ref at, target, ref to, (nuint)(end - at), 0);
                LibC.Check(copied, "copy_file_range");
                if (copied == 0)
                    throw new EndOfStreamException("The image's template has shrunk.");
            }
        }
    }
}
