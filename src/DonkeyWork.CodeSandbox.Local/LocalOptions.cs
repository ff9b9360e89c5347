using System.ComponentModel.DataAnnotations;

namespace DonkeyWork.CodeSandbox.Local;

/// <summary>What an operator can set about sandboxes on this machine: the section <c>Local</c>.</summary>
public sealed record LocalOptions
{
    /// <summary>The section's name.</summary>
    public const string Section = "Local";

    /// <summary>The OCI runtime: <c>runc</c>, <c>crun</c> or <c>runsc</c>, found in the usual directories, or an absolute path to one of them.</summary>
    [RegularExpression("(/.+/)?(runc|crun|runsc)", ErrorMessage = "must be runc, crun or runsc, or the absolute path of one of them")]
    public string Runtime { get; init; } = "runc";

    /// <summary>
    /// Where sandboxes and the Manager's secret are kept. Default: <c>/var/lib/codesandbox</c> for root, otherwise
    /// <c>$XDG_STATE_HOME/codesandbox</c> (<c>~/.local/state/codesandbox</c>).
    /// </summary>
    [RegularExpression("/.+", ErrorMessage = "must be an absolute path")]
    public string? StateDirectory { get; init; }

    /// <summary>The published executor. Default: the directory <c>executor</c> beside the program.</summary>
    [RegularExpression("/.+", ErrorMessage = "must be an absolute path")]
    public string? ExecutorDirectory { get; init; }

    /// <summary>An unpacked image that takes the place of the host's <c>/usr</c>.</summary>
    [RegularExpression("/.+", ErrorMessage = "must be an absolute path")]
    public string? RootFs { get; init; }

    /// <summary>Whether sandboxes outlive a Manager that ends in good order. One that crashes always leaves them.</summary>
    public bool KeepSandboxes { get; init; }

    /// <summary>Sandboxes without limits are accepted where the machine cannot enforce any. Never for code that nobody has read.</summary>
    public bool AllowUnlimited { get; init; }

    /// <summary>MiB that <c>/home/user</c> and <c>/tmp</c> can hold together (each, where they are in memory).</summary>
    [Range(16, 1_048_576)]
    public int HomeSizeMi { get; init; } = 1024;

    /// <summary>How many tasks (processes and threads) a sandbox may have, its executor's included.</summary>
    [Range(64, 32_768)]
    public int PidsLimit { get; init; } = 256;

    /// <summary>The name of the runtime without its directory.</summary>
    internal string RuntimeName => Path.GetFileName(Runtime);
}
