using System.Formats.Tar;

namespace DonkeyWork.CodeSandbox.Client.Files;

/// <summary>Writes a directory of this machine as an archive.</summary>
internal static class DirectoryArchive
{
    private static readonly EnumerationOptions Everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    public static async Task WriteAsync(DirectoryInfo directory, Stream to, IProgress<TransferProgress>? progress, CancellationToken cancellationToken)
    {
        var done = default(TransferProgress);
        var archive = new TarWriter(to, TarEntryFormat.Pax, leaveOpen: true);
        await using (archive.ConfigureAwait(false))
        {
            // By hand: a recursive enumeration would follow links.
            var pending = new Stack<(DirectoryInfo Directory, string Name)>([(directory, "")]);
            while (pending.TryPop(out var next))
            {
                foreach (var entry in next.Directory.EnumerateFileSystemInfos("*", Everything))
                {
                    var name = next.Name + entry.Name;
                    await archive.WriteEntryAsync(entry.FullName, name, cancellationToken).ConfigureAwait(false);
                    if (entry is DirectoryInfo below && entry.LinkTarget is null)
                        pending.Push((below, name + "/"));
                    else if (entry is FileInfo file && entry.LinkTarget is null)
                        progress?.Report(done = new TransferProgress(done.Files + 1, done.Bytes + file.Length));
                }
            }
        }
    }
}
