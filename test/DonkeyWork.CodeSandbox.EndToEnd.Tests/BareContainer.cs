using System.Text.Json.Nodes;

namespace DonkeyWork.CodeSandbox.EndToEnd.Tests;

/// <summary>
/// A container from the very configuration that a sandbox was started with, and a script as its first process: the place
/// for controls, which take guards out of the configuration and must then succeed.
/// </summary>
internal static class BareContainer
{
    public static async Task<Tool> RunAsync(ManagerProcess manager, string sandbox, string script, Action<JsonNode>? without = null)
    {
        var config = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(manager.StateDirectory, "sandboxes", sandbox, "config.json")))!;
        var id = $"control-{Guid.NewGuid():N}"[..20];
        config["process"]!["args"] = new JsonArray("/bin/bash", "-c", script);
        config["linux"]!["cgroupsPath"] = $"/codesandbox-control/{id}";
        without?.Invoke(config);
        var bundle = Directory.CreateTempSubdirectory("codesandbox-control-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(bundle.FullName, "config.json"), config.ToJsonString());
            return await Tool.RunAsync("runc", "--root", Path.Combine(bundle.FullName, "state"), "run", "--bundle", bundle.FullName, id);
        }
        finally
        {
            bundle.Delete(recursive: true);
            foreach (var cgroup in Directory.EnumerateDirectories("/sys/fs/cgroup", "codesandbox-control", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 2 }).ToList())
            {
                Directory.EnumerateDirectories(cgroup).ToList().ForEach(Directory.Delete);
                Directory.Delete(cgroup);
            }
        }
    }

    public static void WithoutNamespace(this JsonNode config, string type)
    {
        var namespaces = config["linux"]!["namespaces"]!.AsArray();
        namespaces.Remove(namespaces.Single(n => (string?)n!["type"] == type));
        if (type == "user")
        {
            config["linux"]!.AsObject().Remove("uidMappings");
            config["linux"]!.AsObject().Remove("gidMappings");
        }
    }

    public static void AsRoot(this JsonNode config)
    {
        config["process"]!["user"]!["uid"] = 0;
        config["process"]!["user"]!["gid"] = 0;
    }

    public static void WithoutSeccomp(this JsonNode config) => config["linux"]!.AsObject().Remove("seccomp");

    public static void WithMount(this JsonNode config, string source, string destination)
    {
        config.WithoutMount(destination);
        config["mounts"]!.AsArray().Add(new JsonObject
        {
            ["source"] = source,
            ["destination"] = destination,
            ["type"] = "bind",
            ["options"] = new JsonArray("rbind", "rw"),
        });
    }

    public static void WithoutMount(this JsonNode config, string destination)
    {
        var mounts = config["mounts"]!.AsArray();
        foreach (var mount in mounts.Where(m => (string?)m!["destination"] == destination).ToList())
        {
            mounts.Remove(mount);
        }
    }

    public static void WithCapability(this JsonNode config, string capability)
    {
        foreach (var set in (string[])["bounding", "effective", "permitted", "inheritable"])
        {
            config["process"]!["capabilities"]![set] = new JsonArray(capability);
        }
    }
}
