namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>Large files in a sandbox that has little memory and room on its disk.</summary>
[Collection(LocalServiceCollection.Name)]
public sealed class SmallMemoryTests(LocalService service) : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"codesandbox-sparse-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(_file);

    [Fact]
    public async Task Two_GiB_go_in_and_out_of_a_sandbox_with_256_MiB()
    {
        await using var sandbox = await service.CreateAsync(new { memoryMi = 256 });
        // Sparse, with something random here and there.
        var expected = await HostAsync($"truncate -s 2G {_file}; for at in 0 511 1024 2047; do dd if=/dev/urandom of={_file} bs=1M count=1 seek=$at conv=notrunc status=none; done; sha256sum <{_file}");

        await HostAsync($"curl -sSf -T {_file} '{sandbox.Address}files?path=data'");
        (await sandbox.OutputOfAsync("stat -c %s data")).ShouldBe($"{2L << 30}\n");
        (await HostAsync($"curl -sSf '{sandbox.Address}files?path=data' | sha256sum")).ShouldBe(expected);

        sandbox.Executor.MostResidentKilobytes.ShouldBeLessThan(64 * 1024);
    }

    private static Task<string> HostAsync(string script) => Tool.OutputOfAsync("/bin/bash", ["-o", "pipefail", "-ec", script]);
}
