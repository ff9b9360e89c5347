namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Tokens;

/// <summary>Where our bearer token comes from.</summary>
internal interface ITokenSource
{
    /// <summary>The token to show.</summary>
    /// <param name="refused">A token that the server has just refused: another is looked for at once.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="HttpRequestException">There is none; the message says why.</exception>
    ValueTask<string> GetAsync(string? refused, CancellationToken cancellationToken);
}
