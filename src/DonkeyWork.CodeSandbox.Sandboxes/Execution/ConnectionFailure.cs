using System.Net.Sockets;

namespace DonkeyWork.CodeSandbox.Sandboxes.Execution;

/// <summary>Says what became of a connection to an executor, in words that hold nothing the sandbox has sent.</summary>
internal static class ConnectionFailure
{
    /// <summary>A sentence for <paramref name="e"/>; <see langword="null"/>: the connection held, and nothing came.</summary>
    public static string WordsFor(Exception? e) => e switch
    {
        null => "Nothing came in time.",
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError } => SocketErrorOf(e) switch
        {
            SocketError.ConnectionRefused => "The connection was refused.",
            { } error => $"No connection could be made ({error}).",
            null => "No connection could be made.",
        },
        ObjectDisposedException => "Its connections were closed.",
        _ => SocketErrorOf(e) is { } error ? $"The connection broke before an answer ({error})." : "The connection broke before an answer.",
    };

    private static SocketError? SocketErrorOf(Exception e)
    {
        for (var cause = e; cause is not null; cause = cause.InnerException!)
        {
            if (cause is SocketException { SocketErrorCode: var error })
                return error;
        }

        return null;
    }
}
