using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Requests;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;

/// <summary>
/// One list-and-watch (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes). It
/// goes on from the last resource version that it saw; where it has none, or the server does not know it any more, it lists.
/// </summary>
internal sealed partial class ApiWatch<T>(
    ApiResource<T> resource, ApiTransport transport, string? labelSelector, TimeProvider clock, ILogger logger) where T : class, IApiObject
{
    // A server that refuses or breaks off is worth a few attempts before anybody is told. One that is not there is told at once.
    private const int MostSilentFailures = 3;

    // Watches that begin and then end or break, one after the other, without having told anything: what is in between lets none through.
    private const int MostFruitless = 3;

    private readonly ListRequests<T> _lists = new(resource, transport);
    private readonly WatchPauses _pauses = new();
    private string? _version;
    private WatchLines<T>? _lines;
    private TimeSpan? _pause;
    private DateTimeOffset? _brokenAt;
    private int _failures;
    private int _fruitless;
    private bool _isLost;

    public async IAsyncEnumerable<ApiObservation<T>> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            while (true) yield return await NextAsync(cancellationToken);
        }
        finally
        {
            await CloseAsync();
        }
    }

    private async ValueTask<ApiObservation<T>> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_pause is { } pause)
            {
                await Task.Delay(pause, clock, cancellationToken);
                _pause = null;
            }

            try
            {
                if (_version is null) return await ListAsync(cancellationToken);
                _lines ??= await OpenAsync(cancellationToken);
                var happened = await _lines.NextAsync(cancellationToken);
                if (happened is null) await BreakAsync(null);
                else if (Take(happened.Value) is { } observation) return observation;
            }
            catch (Exception failure) when (!cancellationToken.IsCancellationRequested && IsOfTheServer(failure))
            {
                await BreakAsync(failure);
                if (MustTell(failure)) return Lose(failure);
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                // However the end of it looks from below.
                throw new OperationCanceledException(cancellationToken);
            }
        }
    }

    private async Task<ApiObservation<T>> ListAsync(CancellationToken cancellationToken)
    {
        var (items, version) = await _lists.ReadAllAsync(labelSelector, cancellationToken);
        if (_isLost) LogFound(logger, resource.Path, items.Count);
        _version = version;
        _isLost = false;
        // That lists come through does not say that watches do: those keep their pause until one has told something.
        IsWell();
        return new ApiListed<T>(items);
    }

    private async Task<WatchLines<T>> OpenAsync(CancellationToken cancellationToken)
    {
        // The server ends a watch after this time, so that connections spread over its replicas again; at random, so that they do not all end at once.
        var seconds = Random.Shared.Next(300, 600).ToString(CultureInfo.InvariantCulture);
        var query = resource.Query(labelSelector, $"watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={_version}");
        var response = await transport.OpenAsync(ApiRequest.Get(query), cancellationToken);
        _brokenAt = null;
        return new WatchLines<T>(await response.Content.ReadAsStreamAsync(cancellationToken), resource.Read);
    }

    private ApiObservation<T>? Take(WatchEvent<T> happened)
    {
        if (happened.Error is { } refusal) throw refusal;
        if (happened.Item is null) return null;
        _version = happened.ResourceVersion;
        _pauses.Reset();
        IsWell();
        return happened.Kind switch
        {
            WatchEventKind.Changed => new ApiChanged<T>(happened.Item),
            WatchEventKind.Deleted => new ApiGone<T>(happened.Item),
            _ => null,
        };
    }

    private async ValueTask BreakAsync(Exception? failure)
    {
        if (_lines is not null && ++_fruitless >= MostFruitless) _version = null;
        await CloseAsync();
        _brokenAt ??= clock.GetUtcNow();
        _pause = _pauses.Next((failure as ApiException)?.RetryAfter);
        if (failure is ApiException { IsGone: true }) _version = null;
        if (failure is not null && !_isLost) LogBroken(logger, failure, resource.Path);
    }

    private bool MustTell(Exception failure) => !_isLost && failure switch
    {
        // A connection that broke before the answer came.
        ApiUnreachableException { MayHaveBeenSent: true, InnerException: not OperationCanceledException } => ++_failures >= MostSilentFailures,
        ApiUnreachableException => true,
        ApiException { IsGone: false } => ++_failures >= MostSilentFailures,
        // A watch that broke: first another one is tried.
        _ => false,
    };

    private ApiLost<T> Lose(Exception failure)
    {
        LogLost(logger, resource.Path, failure.Message);
        _isLost = true;
        // Whoever was told that the view is old is told anew what there is.
        _version = null;
        return new ApiLost<T>(_brokenAt ?? clock.GetUtcNow(), failure);
    }

    private void IsWell()
    {
        _brokenAt = null;
        _failures = 0;
        _fruitless = 0;
    }

    private async ValueTask CloseAsync()
    {
        if (_lines is null) return;
        await _lines.DisposeAsync();
        _lines = null;
    }

    private static bool IsOfTheServer(Exception failure) =>
        failure is ApiException or ApiUnreachableException or JsonException or InvalidDataException || ApiFailures.IsNoAnswer(failure);

    [LoggerMessage(LogLevel.Debug, "The watch of {Path} broke")]
    private static partial void LogBroken(ILogger logger, Exception failure, string path);

    [LoggerMessage(LogLevel.Debug, "The API server cannot be watched: {Path}: {Reason}")]
    private static partial void LogLost(ILogger logger, string path, string reason);

    [LoggerMessage(LogLevel.Debug, "The API server is back: {Path}: {Count} objects")]
    private static partial void LogFound(ILogger logger, string path, int count);
}
