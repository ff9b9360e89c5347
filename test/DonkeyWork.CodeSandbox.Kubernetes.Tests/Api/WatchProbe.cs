using System.Threading.Channels;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;
using DonkeyWork.CodeSandbox.Testing;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;

/// <summary>Runs a watch and keeps the view that follows from what it tells.</summary>
internal sealed class WatchProbe<T> : IAsyncDisposable where T : class, IApiObject
{
    private readonly Channel<ApiObservation<T>> _told = Channel.CreateUnbounded<ApiObservation<T>>();
    private readonly CancellationTokenSource _end = new();
    private readonly Task _running;

    public WatchProbe(ApiObjects<T> objects, string? labelSelector = null) => _running = RunAsync(objects, labelSelector);

    /// <summary>All that exists, by name, as far as it was waited for.</summary>
    public Dictionary<string, T> View { get; } = [];

    public List<ApiObservation<T>> Seen { get; } = [];

    public async Task<ApiObservation<T>> NextAsync()
    {
        using var limit = new CancellationTokenSource(Patience.Limit);
        var told = await _told.Reader.ReadAsync(limit.Token);
        Seen.Add(told);
        if (told is ApiListed<T> listed)
        {
            View.Clear();
            foreach (var item in listed.Items) View.Add(item.Name, item);
        }
        else if (told is ApiChanged<T> changed)
        {
            View[changed.Item.Name] = changed.Item;
        }
        else if (told is ApiGone<T> gone)
        {
            View.Remove(gone.Item.Name);
        }

        return told;
    }

    /// <summary>Goes on until it is told <typeparamref name="TWanted"/>.</summary>
    public async Task<TWanted> UntilAsync<TWanted>() where TWanted : ApiObservation<T>
    {
        while (true)
        {
            if (await NextAsync() is TWanted wanted) return wanted;
        }
    }

    /// <summary>Goes on until the view is as it should be.</summary>
    public async Task UntilAsync(Func<Dictionary<string, T>, bool> isAsItShouldBe)
    {
        while (!isAsItShouldBe(View)) await NextAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running.WaitAsync(Patience.Limit);
        _end.Dispose();
    }

    private async Task RunAsync(ApiObjects<T> objects, string? labelSelector)
    {
        try
        {
            await foreach (var told in objects.WatchAsync(labelSelector, _end.Token)) _told.Writer.TryWrite(told);
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // As the test wants it.
        }
        catch (Exception broken)
        {
            _told.Writer.TryComplete(broken);
        }
    }
}
