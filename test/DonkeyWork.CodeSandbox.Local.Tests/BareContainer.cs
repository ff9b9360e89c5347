using System.Text.Json.Nodes;

namespace DonkeyWork.CodeSandbox.Local.Tests;

/// <summary>A container from the configuration that a sandbox was started with, run by hand: the place for controls.</summary>
internal static class BareContainer
{
    /// <summary>Runs a script as its only process.</summary>
    /// <param name="machine">The sandbox's backend.</param>
    /// <param name="sandbox">Whose configuration is taken.</param>
    /// <param name="script">For bash.</param>
    /// <param name="without">Takes guards out of the configuration.</param>
    public static async Task<(int ExitCode, string Output)> RunAsync(LocalMachine machine, string sandbox, string script, Action<JsonNode> without)
    {
        var id = $"control-{Guid.NewGuid():N}"[..20];
        var config = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(machine.Directory, "sandboxes", sandbox, "config.json")))!;
        config["process"]!["args"] = new JsonArray("/bin/bash", "-c", script);
        config["linux"]!["cgroupsPath"] = $"/{id}";
        without(config);
        var bundle = Directory.CreateTempSubdirectory("codesandbox-control-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(bundle.FullName, "config.json"), config.ToJsonString());
            return await HostView.RunAsync("runc", "--root", Path.Combine(bundle.FullName, "state"), "run", "--bundle", bundle.FullName, id);
        }
        finally
        {
            bundle.Delete(recursive: true);
            HostView.Cgroups(id).ShouldBeEmpty();
        }
    }
}
