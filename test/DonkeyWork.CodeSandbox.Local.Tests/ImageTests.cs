using DonkeyWork.CodeSandbox.Testing.Backends;

namespace DonkeyWork.CodeSandbox.Local.Tests;

public sealed class ImageTests : IAsyncLifetime
{
    private static readonly string[] Programs = ["/usr/bin/bash", "/usr/bin/cat", "/usr/bin/ls"];

    private readonly DirectoryInfo _image = Directory.CreateTempSubdirectory("codesandbox-image-");

    /// <summary>An image of three programs and what they and the executor are linked with.</summary>
    public async Task InitializeAsync()
    {
        await HostView.RunAsync("chmod", "755", _image.FullName);
        foreach (var directory in (string[])["proc", "dev", "tmp", "etc", "home/user", "opt/codesandbox", "run/codesandbox", "usr/bin", "usr/lib", "usr/lib64"])
            _image.CreateSubdirectory(directory);
        foreach (var name in (string[])["bin", "lib", "lib64"])
            File.CreateSymbolicLink(Path.Combine(_image.FullName, name), $"usr/{name}");
        await File.WriteAllTextAsync(Path.Combine(_image.FullName, "etc", "image"), "mine\n");
        // .NET loads OpenSSL by itself, to hash the token.
        var openSsl = (await HostView.RunAsync("/usr/sbin/ldconfig", "-p")).Output.Split('\n').First(line => line.Contains("libssl.so.3 ", StringComparison.Ordinal)).Split(" => ")[1];
        foreach (var program in (string[])[.. Programs, Path.Combine(Repository.Executor, "codesandbox-executor"), openSsl])
        {
            var libraries = (await HostView.RunAsync("ldd", program)).Output.Split((char[])[' ', '\t', '\n']).Where(word => word.StartsWith('/'));
            foreach (var file in libraries.Concat([.. Programs, openSsl]).Distinct())
            {
                var target = _image.FullName + (file.StartsWith("/usr", StringComparison.Ordinal) ? file : "/usr" + file);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target, overwrite: true);
            }
        }
    }

    public Task DisposeAsync()
    {
        _image.Delete(recursive: true);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task An_unpacked_image_takes_the_place_of_the_hosts_usr()
    {
        await using var machine = await LocalMachine.StartAsync(options: options => options with { RootFs = _image.FullName });
        var sandbox = await machine.Backend.CreateReadyAsync();

        var seen = await machine.Backend.RunAsync(sandbox, "cat /etc/image; ls /usr/bin; echo x > ~/file && cat ~/file");

        sandbox.Image.ShouldBe(_image.FullName);
        seen.Output.ShouldBe("mine\nbash\ncat\nls\nx\n");
    }
}
