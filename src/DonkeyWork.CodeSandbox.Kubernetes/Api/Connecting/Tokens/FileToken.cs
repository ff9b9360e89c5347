namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Tokens;

/// <summary>A token in a file that somebody else renews; the kubelet does so well before the old one ends.</summary>
internal sealed class FileToken(string path, TimeProvider clock) : ITokenSource
{
    private static readonly TimeSpan Age = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private string? _token;
    private long _readAt;

    public ValueTask<string> GetAsync(string? refused, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_token is null || _token == refused || clock.GetElapsedTime(_readAt) >= Age) Read();
            return ValueTask.FromResult(_token!);
        }
    }

    private void Read()
    {
        _readAt = clock.GetTimestamp();
        try
        {
            var token = File.ReadAllText(path).Trim();
            // A file that is being written must not take our token away.
            if (token.Length > 0) _token = token;
            else if (_token is null) throw new HttpRequestException(HttpRequestError.UserAuthenticationError, $"The token file {path} is empty.");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            if (_token is null)
                throw new HttpRequestException(HttpRequestError.UserAuthenticationError, $"The token file {path} cannot be read: {unreadable.Message}", unreadable);
        }
    }
}
