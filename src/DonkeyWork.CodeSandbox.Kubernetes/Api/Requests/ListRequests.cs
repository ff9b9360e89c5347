using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Requests;

/// <summary>Lists all objects of a kind, page by page, all as of one moment.</summary>
internal sealed class ListRequests<T>(ApiResource<T> resource, ApiTransport transport) where T : class
{
    private const int PageSize = 500;

    /// <summary>Everything, and the resource version that a watch goes on from.</summary>
    public async Task<(IReadOnlyList<T> Items, string ResourceVersion)> ReadAllAsync(string? labelSelector, CancellationToken cancellationToken)
    {
        var first = $"limit={PageSize}";
        var page = await ReadPageAsync(labelSelector, first, cancellationToken);
        var items = page.Items;
        while (page.Continue is { } next)
        {
            try
            {
                page = await ReadPageAsync(labelSelector, $"{first}&continue={Uri.EscapeDataString(next)}", cancellationToken);
                items.AddRange(page.Items);
            }
            catch (ApiException tooLate) when (tooLate.IsGone)
            {
                // The moment that the first page showed has been compacted away: all of it again, in one answer that cannot be.
                page = await ReadPageAsync(labelSelector, "limit=0", cancellationToken);
                items = page.Items;
            }
        }

        return (items, page.ResourceVersion);
    }

    private Task<ListPage<T>> ReadPageAsync(string? labelSelector, string query, CancellationToken cancellationToken) =>
        transport.SendAsync(ApiRequest.Get(resource.Query(labelSelector, query)), body => ListPage<T>.Read(body, resource.Read), cancellationToken);
}
