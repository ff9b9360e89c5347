using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes.Tests;

/// <summary>What a create may ask for. Nothing that may not reaches a backend.</summary>
public sealed class ValidationTests
{
    [Theory]
    [InlineData("a", "b")]
    [InlineData("A.b_c-9", "")]
    [InlineData("example.com/team", "Blue_1.2-3")]
    [InlineData("notkubernetes.io/x", "y")]
    [InlineData("kubernetes.io.example/x", "y")]
    [InlineData("runtimes", "y")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task A_label_by_Kubernetes_rules_is_taken(string key, string value) => await AcceptAsync(Labels(key, value));

    [Theory]
    [InlineData("", "b")]
    [InlineData("-a", "b")]
    [InlineData("a b", "b")]
    [InlineData("a\n", "b")]
    [InlineData("ä", "b")]
    [InlineData("/a", "b")]
    [InlineData("a/", "b")]
    [InlineData("a/b/c", "b")]
    [InlineData("Example.com/a", "b")]
    [InlineData("a", "b c")]
    [InlineData("a", "b-")]
    [InlineData("a", "b\n")]
    [InlineData("a", null)]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "b")]
    [InlineData("a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("app", "mine")]
    [InlineData("runtime", "mine")]
    [InlineData("managed-by", "me")]
    [InlineData("container-type", "x")]
    [InlineData("pool-status", "warm")]
    [InlineData("allocated-to", "me")]
    [InlineData("codesandbox.donkeywork.dev/nonce", "x")]
    [InlineData("sub.codesandbox.donkeywork.dev/x", "x")]
    [InlineData("kubernetes.io/x", "x")]
    [InlineData("node.kubernetes.io/x", "x")]
    [InlineData("k8s.io/x", "x")]
    [InlineData("a.k8s.io/x", "x")]
    public async Task A_label_against_the_rules_or_of_ours_is_refused(string key, string? value) =>
        (await RefuseAsync(Labels(key, value!))).Keys.ShouldBe([$"labels.{key}"]);

    [Theory]
    [InlineData("PATH", "x", true)]
    [InlineData("_a9", "", true)]
    [InlineData("a", "line\nline", true)]
    [InlineData("", "x", false)]
    [InlineData("9a", "x", false)]
    [InlineData("A-B", "x", false)]
    [InlineData("A=B", "x", false)]
    [InlineData("A\n", "x", false)]
    [InlineData("Ä", "x", false)]
    [InlineData("A", null, false)]
    [InlineData("A", "a\0b", false)]
    public async Task Environment_names_are_identifiers_and_values_have_no_NUL(string name, string? value, bool isTaken)
    {
        var request = new CreateSandboxRequest { EnvironmentVariables = new Dictionary<string, string> { [name] = value! } };
        if (isTaken) await AcceptAsync(request);
        else (await RefuseAsync(request)).Keys.ShouldBe([$"environmentVariables.{name}"]);
    }

    [Fact]
    public async Task Arguments_need_a_command() =>
        (await RefuseAsync(new CreateSandboxRequest { Args = ["x"] })).Keys.ShouldBe(["args"]);

    [Fact]
    public async Task A_command_has_a_program_and_no_null_and_no_NUL()
    {
        (await RefuseAsync(new CreateSandboxRequest { Command = [""] })).Keys.ShouldBe(["command"]);
        (await RefuseAsync(new CreateSandboxRequest { Command = ["a", null!], Args = ["b\0"] })).Keys.ShouldBe(["command[1]", "args[0]"]);
        await AcceptAsync(new CreateSandboxRequest { Command = ["a", ""], Args = [""] });
    }

    [Fact]
    public async Task Environment_and_command_fit_into_one_variable_of_64_KiB()
    {
        static CreateSandboxRequest Of(int length) => new() { EnvironmentVariables = new Dictionary<string, string> { ["A"] = new('x', length) } };
        const int frame = 24; // {"environment":{"A":""}}

        await AcceptAsync(Of(65_536 - frame));
        (await RefuseAsync(Of(65_536 - frame + 1))).Keys.ShouldBe(["environmentVariables"]);
    }

    [Theory]
    [InlineData(null, null, 128, 512)]
    [InlineData(200, null, 200, 512)]
    [InlineData(600, null, 600, 600)]
    [InlineData(null, 128, 128, 128)]
    [InlineData(300, 300, 300, 300)]
    [InlineData(4096, null, 4096, 4096)]
    public async Task What_is_missing_is_filled_in_field_by_field(int? request, int? limit, int expectedRequest, int expectedLimit)
    {
        var resources = (await AcceptAsync(Memory(request, limit))).Resources;

        resources.Requests!.MemoryMi.ShouldBe(expectedRequest);
        resources.Limits!.MemoryMi.ShouldBe(expectedLimit);
        (resources.Requests.CpuMillicores, resources.Limits.CpuMillicores).ShouldBe((250, 1000));
    }

    [Theory]
    [InlineData(256, 128, "resources.limits.memoryMi")]
    [InlineData(null, 127, "resources.limits.memoryMi")]
    [InlineData(null, 4097, "resources.limits.memoryMi")]
    [InlineData(4097, null, "resources.requests.memoryMi")]
    [InlineData(null, 0, "resources.limits.memoryMi")]
    [InlineData(-1, null, "resources.requests.memoryMi")]
    [InlineData(0, 512, "resources.requests.memoryMi")]
    public async Task Limits_are_not_below_requests_nor_above_the_maximum(int? request, int? limit, string field) =>
        (await RefuseAsync(Memory(request, limit))).Keys.ShouldBe([field]);

    [Fact]
    public async Task All_wrong_fields_are_named_at_once() =>
        (await RefuseAsync(new CreateSandboxRequest
        {
            Labels = new Dictionary<string, string> { ["app"] = "x", ["b c"] = "d e" },
            EnvironmentVariables = new Dictionary<string, string> { ["1"] = "x" },
            Args = ["y"],
            Resources = new ResourceRequirements { Limits = new ResourceQuantities { CpuMillicores = -5, MemoryMi = 1 } },
        })).Keys.ShouldBe(["labels.app", "labels.b c", "environmentVariables.1", "args", "resources.limits.memoryMi", "resources.limits.cpuMillicores"]);

    private static CreateSandboxRequest Labels(string key, string value) => new() { Labels = new Dictionary<string, string> { [key] = value } };

    private static CreateSandboxRequest Memory(int? request, int? limit) => new()
    {
        Resources = new ResourceRequirements { Requests = new ResourceQuantities { MemoryMi = request }, Limits = new ResourceQuantities { MemoryMi = limit } },
    };

    private static async Task<SandboxSpec> AcceptAsync(CreateSandboxRequest request)
    {
        await using var core = await Core.StartAsync();
        await core.CreateAsync(request);
        return core.Backend.Specs.ShouldHaveSingleItem();
    }

    private static async Task<IReadOnlyDictionary<string, string[]>> RefuseAsync(CreateSandboxRequest request)
    {
        await using var core = await Core.StartAsync();
        var refusal = await Should.ThrowAsync<InvalidSandboxException>(() => core.CreateAsync(request));
        core.Backend.Specs.ShouldBeEmpty();
        return refusal.Errors;
    }
}
