namespace DonkeyWork.CodeSandbox.Manager.Configuration;

/// <summary>The command line: <c>--KEY=VALUE</c> or <c>--KEY VALUE</c>. What it misspells must not go unnoticed.</summary>
internal static class CommandLine
{
    private static readonly string[] Known =
    [
        "urls", "http_ports", "https_ports", "environment", "contentRoot", "AllowedHosts", "Kestrel", "Serilog", "Logging",
        ManagerSettings.KeySetting, ManagerOptions.Section, Local.LocalOptions.Section,
    ];

    /// <summary>Checks the names of the settings; their values are the options' affair.</summary>
    /// <exception cref="InvalidConfigurationException">Something is no setting; all of it is told.</exception>
    public static void Check(string[] args)
    {
        var faults = new List<string>();
        for (var i = 0; i < args.Length; i++)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal))
            {
                faults.Add($"'{args[i]}' is not a setting: those are --KEY=VALUE; see --help.");
                continue;
            }

            var key = args[i][2..].Split('=')[0];
            if (!Known.Contains(key.Split(':')[0], StringComparer.OrdinalIgnoreCase)) faults.Add($"{key}: there is no such setting; see --help.");
            if (!args[i].Contains('=', StringComparison.Ordinal)) i++;
        }

        if (faults.Count > 0) throw new InvalidConfigurationException(faults);
    }
}
