using System.Net;
using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Requests;

/// <summary>Reads an answer that is in memory.</summary>
internal delegate TResult ReadBody<out TResult>(ReadOnlySpan<byte> body);

/// <summary>Sends requests, repeats those that may be, and turns what goes wrong into typed exceptions.</summary>
internal sealed class ApiTransport(ClusterConnection connection, HttpMessageHandler handler, RetryPolicy retries, TimeProvider clock) : IDisposable
{
    /// <summary>How long a request may take, all in all.</summary>
    public static readonly TimeSpan Budget = TimeSpan.FromSeconds(10);

    private readonly HttpMessageInvoker _http = new(handler);

    /// <summary>Sends a request and reads its answer, within <see cref="Budget"/>.</summary>
    /// <exception cref="ApiException">The server refuses.</exception>
    /// <exception cref="ApiUnreachableException">There is no answer.</exception>
    public async Task<TResult> SendAsync<TResult>(ApiRequest request, ReadBody<TResult> read, CancellationToken cancellationToken)
    {
        using var budget = new RequestBudget(Budget, clock, cancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            TimeSpan pause;
            try
            {
                using var response = await OpenAsync(request, budget, cancellationToken);
                using var body = await ReadAsync(response, budget, cancellationToken);
                return Read(body, read);
            }
            catch (Exception failure) when (retries.PauseBefore(request, failure, attempt) is { } next && next < budget.Left)
            {
                pause = next;
            }

            await Task.Delay(pause, clock, cancellationToken);
        }
    }

    /// <summary>Sends a request once and returns as soon as its answer begins. Its body can be read for ever.</summary>
    public async Task<HttpResponseMessage> OpenAsync(ApiRequest request, CancellationToken cancellationToken)
    {
        using var budget = new RequestBudget(Budget, clock, cancellationToken);
        return await OpenAsync(request, budget, cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private async Task<HttpResponseMessage> OpenAsync(ApiRequest request, RequestBudget budget, CancellationToken cancellationToken)
    {
        using var message = request.ToMessage(connection.Server);
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(message, budget.Token);
        }
        catch (Exception failure) when (ApiFailures.IsNoAnswer(failure) && !cancellationToken.IsCancellationRequested)
        {
            throw ApiFailures.NoAnswer(failure, budget.IsOver);
        }

        if (response.StatusCode is >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices) return response;
        using (response)
        using (var body = await ReadAsync(response, budget, cancellationToken))
        {
            throw ApiFailures.Refusal(response, body.Bytes);
        }
    }

    private static TResult Read<TResult>(ResponseBody body, ReadBody<TResult> read)
    {
        try
        {
            return read(body.Bytes);
        }
        catch (JsonException invalid)
        {
            throw new ApiUnreachableException("What answered is not an API server: its answer is not JSON.", mayHaveBeenSent: true, invalid);
        }
    }

    private static async Task<ResponseBody> ReadAsync(HttpResponseMessage response, RequestBudget budget, CancellationToken cancellationToken)
    {
        try
        {
            return await ResponseBody.ReadAsync(response, budget.Token);
        }
        catch (Exception failure) when (ApiFailures.IsNoAnswer(failure) && !cancellationToken.IsCancellationRequested)
        {
            throw ApiFailures.NoAnswer(failure, budget.IsOver);
        }
    }
}
