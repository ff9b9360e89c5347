using System.Globalization;
using DonkeyWork.CodeSandbox.Local.Oci;
using DonkeyWork.CodeSandbox.Local.Posix;

namespace DonkeyWork.CodeSandbox.Local.Host;

/// <summary>The ids that an ordinary user can map into sandboxes.</summary>
internal static class RootlessIds
{
    /// <summary>With newuidmap(1) and a range in subuid(5) the sandbox's user is 1000 inside; otherwise the one own id is root inside, without capabilities.</summary>
    public static IdRange Find(List<string> notes)
    {
        var user = LibC.GetEffectiveUserId();
        var group = LibC.GetEffectiveGroupId();
        if (File.Exists("/usr/bin/newuidmap") && File.Exists("/usr/bin/newgidmap")
            && Range("/etc/subuid", user) is { } users && Range("/etc/subgid", user) is { } groups)
        {
            return new IdRange(0, RootFileSystem.UserId, users + RootFileSystem.UserId - 1, [new(0, user, 1), new(1, users, RootFileSystem.UserId)], [new(0, group, 1), new(1, groups, RootFileSystem.UserId)]);
        }

        notes.Add($"Sandboxes run under your own user id {user}: with newuidmap and a range of 1000 ids or more for you in /etc/subuid and /etc/subgid (apt-get install uidmap) they get one of their own.");
        return new IdRange(0, 0, user, [new(0, user, 1)], [new(0, group, 1)]);
    }

    private static uint? Range(string file, uint user)
    {
        if (!File.Exists(file))
            return null;
        foreach (var parts in File.ReadLines(file).Select(line => line.Split(':')))
        {
            if (parts.Length == 3 && (parts[0] == Environment.UserName || parts[0] == user.ToString(CultureInfo.InvariantCulture))
                && uint.TryParse(parts[1], out var first) && uint.TryParse(parts[2], out var size) && size >= RootFileSystem.UserId)
            {
                return first;
            }
        }

        return null;
    }
}
