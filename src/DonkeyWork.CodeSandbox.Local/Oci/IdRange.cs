using System.Security.Cryptography;

namespace DonkeyWork.CodeSandbox.Local.Oci;

/// <summary>The host's user and group ids that a sandbox's ids are mapped to (user_namespaces(7)).</summary>
/// <param name="First">The first of the range, which tells it from others; 0 for an ordinary user's.</param>
/// <param name="InsideUser">The id of the sandbox's user as it sees itself.</param>
/// <param name="HostUser">The same as the host sees it.</param>
/// <param name="Users">For user ids.</param>
/// <param name="Groups">For group ids.</param>
internal sealed record IdRange(uint First, uint InsideUser, uint HostUser, IReadOnlyList<OciIdMapping> Users, IReadOnlyList<OciIdMapping> Groups)
{
    /// <summary>Above every range that distributions hand out (subuid(5), systemd's UIDS-GIDS.md), and below 2^31.</summary>
    private const uint Base = 0x7000_0000;
    private const uint Size = 2048;
    private const int Count = 0x1000_0000 / (int)Size;

    /// <summary>A sandbox's range as root.</summary>
    public static IdRange Of(uint first)
    {
        OciIdMapping[] map = [new(0, first, Size)];
        return new IdRange(first, RootFileSystem.UserId, first + RootFileSystem.UserId, map, map);
    }

    /// <summary>The start of a range that none of <paramref name="taken"/> has. At random, so that two Managers on a machine rarely meet.</summary>
    public static uint Free(ICollection<uint> taken)
    {
        while (true)
        {
            var first = Base + ((uint)RandomNumberGenerator.GetInt32(Count) * Size);
            if (!taken.Contains(first))
                return first;
        }
    }
}
