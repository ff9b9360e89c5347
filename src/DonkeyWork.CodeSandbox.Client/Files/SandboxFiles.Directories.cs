using DonkeyWork.CodeSandbox.Client.Files;
using DonkeyWork.CodeSandbox.Client.Streaming;

namespace DonkeyWork.CodeSandbox.Client;

/// <content>Whole directories, as archives that are made and unpacked while they are sent.</content>
public sealed partial class SandboxFiles
{
    /// <summary>
    /// Copies a directory of this machine with all that is in it into one of the sandbox, which is made where it is missing; files
    /// that are there already are replaced, others stay. Links are copied as links. Where a connection breaks it is begun again.
    /// </summary>
    /// <param name="localDirectory">The directory here.</param>
    /// <param name="path">The directory in the sandbox.</param>
    /// <param name="progress">Told after each file.</param>
    /// <param name="cancellationToken">Gives up; what has arrived by then stays.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such directory here.</exception>
    /// <exception cref="SandboxDiskFullException">The sandbox's disk is full.</exception>
    /// <exception cref="SandboxFileException">There is a file in the place of a directory, or one that may not be written; or a name here is none there.</exception>
    public async Task UploadDirectoryAsync(
        string localDirectory, string path, IProgress<TransferProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var directory = new DirectoryInfo(localDirectory);
        if (!directory.Exists)
            throw new DirectoryNotFoundException($"There is no directory '{localDirectory}'.");
        var upload = new Upload(
            FileRoutes.ArchiveType, Length: null, (body, token) => DirectoryArchive.WriteAsync(directory, body, progress, token));
        await PutAsync(path, upload, options: null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Copies a directory of the sandbox with all that is in it to this machine, into a directory that is made where it is missing;
    /// files that are there already are replaced, others stay. Whatever the sandbox sends, nothing is written outside of that
    /// directory, nor through a link in it; links that point out of it are left out. Where a connection breaks it is begun again.
    /// </summary>
    /// <param name="path">The directory in the sandbox.</param>
    /// <param name="localDirectory">The directory here.</param>
    /// <param name="options">A bound, and who is told of the progress.</param>
    /// <param name="cancellationToken">Gives up; what has arrived by then stays.</param>
    /// <exception cref="SandboxFileNotFoundException">There is none.</exception>
    /// <exception cref="SandboxFileException">It is no directory, or something in it may not be read.</exception>
    /// <exception cref="BadArchiveException">What came is no archive, has names that leave the directory, or is more than was allowed.</exception>
    public Task<DirectoryDownload> DownloadDirectoryAsync(
        string path, string localDirectory, DirectoryDownloadOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(localDirectory);
        var call = _routes.Of(HttpMethod.Get, path) with { Accept = FileRoutes.ArchiveType };
        return _sandbox.PersistAsync(
            async (limit, token) =>
            {
                using var answer = await _sandbox.Server.OpenAsync(call, limit, token).ConfigureAwait(false);
                var stream = await answer.Response.Content.ReadAsStreamAsync(CancellationToken.None).ConfigureAwait(false);
                var body = new GuardedStream(stream, _sandbox.Options, answer.From.Name, token, long.MaxValue);
                await using (body.ConfigureAwait(false))
                {
                    var extraction = new ArchiveExtraction(localDirectory, options ?? new DirectoryDownloadOptions());
                    return await extraction.RunAsync(body, token).ConfigureAwait(false);
                }
            },
            cancellationToken);
    }
}
