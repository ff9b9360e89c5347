namespace DonkeyWork.CodeSandbox.Client.Files;

/// <summary>A file of this machine that appears when all of it is there.</summary>
internal static class LocalFile
{
    public static async Task WriteAsync(string path, Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken, UnixFileMode? mode = null)
    {
        // Not the name and more: that may be as long as a name can be.
        var beside = Path.Combine(Path.GetDirectoryName(path) ?? "", $".{Guid.NewGuid():N}.partial");
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0, Options = FileOptions.Asynchronous };
            if (mode is not null && !OperatingSystem.IsWindows())
                options.UnixCreateMode = mode;
            var file = new FileStream(beside, options);
            await using (file.ConfigureAwait(false))
                await write(file, cancellationToken).ConfigureAwait(false);
            // A link that is there is replaced itself, and not followed.
            File.Move(beside, path, overwrite: true);
        }
        catch
        {
            File.Delete(beside);
            throw;
        }
    }
}
