using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Tokens;

/// <summary>Runs a plug-in once: no shell, no terminal, a bounded time.</summary>
internal static class ExecRun
{
    // Ours, and nobody else's business; ASPNETCORE_ApiKey and DOTNET_ApiKey are the same to the host.
    private const string OwnSettings = "KataContainerManager__";
    private const string OwnKey = "ApiKey";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <exception cref="HttpRequestException">It did not get us a token; the message holds what it printed as error.</exception>
    public static async Task<ExecStatus> RunAsync(ExecPlugin plugin, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var time = new CancellationTokenSource(Limit, clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(time.Token, cancellationToken);
        using var process = Start(plugin);
        try
        {
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(end.Token);
            var error = process.StandardError.ReadToEndAsync(end.Token);
            await process.WaitForExitAsync(end.Token);
            return process.ExitCode == 0
                ? StatusOf(plugin, await output)
                : throw Failure(plugin, $"ended with exit code {process.ExitCode}: {Shortened(await error)}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            throw Failure(plugin, $"was not done within {Limit.TotalSeconds:0} s");
        }
    }

    private static Process Start(ExecPlugin plugin)
    {
        var start = new ProcessStartInfo(plugin.Command)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in plugin.Arguments) start.ArgumentList.Add(argument);
        foreach (var name in start.Environment.Keys.Where(name => IsOwn(name)).ToList())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in plugin.Environment) start.Environment[name] = value;
        var asked = new ExecCredential { ApiVersion = plugin.ApiVersion, Kind = "ExecCredential", Spec = new ExecSpec(false, plugin.Cluster) };
        start.Environment["KUBERNETES_EXEC_INFO"] = JsonSerializer.Serialize(asked, WireJsonContext.Default.ExecCredential);
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception missing)
        {
            throw Failure(plugin, $"cannot be started: {missing.Message}. {plugin.InstallHint}".TrimEnd(), missing);
        }
    }

    private static bool IsOwn(string name) =>
        name.Contains(OwnSettings, StringComparison.OrdinalIgnoreCase) || name.EndsWith(OwnKey, StringComparison.OrdinalIgnoreCase);

    private static ExecStatus StatusOf(ExecPlugin plugin, string output)
    {
        ExecCredential? answer;
        try
        {
            answer = JsonSerializer.Deserialize(output, WireJsonContext.Default.ExecCredential);
        }
        catch (JsonException invalid)
        {
            throw Failure(plugin, "did not print an ExecCredential", invalid);
        }

        if (answer?.ApiVersion != plugin.ApiVersion)
            throw Failure(plugin, $"printed an ExecCredential of '{answer?.ApiVersion}' where the kubeconfig says '{plugin.ApiVersion}'");
        if (string.IsNullOrEmpty(answer.Status?.Token))
        {
            throw Failure(plugin, answer.Status?.ClientCertificateData is null
                ? "printed an ExecCredential without a token"
                : "gives a client certificate; only tokens are taken from plug-ins, so put the certificate into the kubeconfig");
        }

        return answer.Status;
    }

    private static HttpRequestException Failure(ExecPlugin plugin, string what, Exception? inner = null) =>
        new(HttpRequestError.UserAuthenticationError, $"The kubeconfig's exec plug-in {plugin.Command} {what}", inner);

    private static string Shortened(string text) => text.Length <= 2000 ? text.Trim() : $"…{text[^2000..].Trim()}";
}
