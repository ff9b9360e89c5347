using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Requests;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;
using Microsoft.Extensions.Logging;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api;

/// <summary>
/// The objects of one kind in one namespace. Every request takes at most 10 s, and throws <see cref="ApiException"/> for what
/// the API server refuses and <see cref="ApiUnreachableException"/> where there is no answer. Reads are repeated a few times
/// within that time; writes only where the server has certainly done nothing.
/// </summary>
/// <typeparam name="T">What is read of an object.</typeparam>
public sealed class ApiObjects<T> where T : class, IApiObject
{
    // What a watch waits for a connection: a packet that is lost is sent again soon enough after packets flow again.
    private static readonly TimeSpan WatchConnectTimeout = TimeSpan.FromSeconds(2);

    private readonly ApiResource<T> _resource;
    private readonly ClusterConnection _connection;
    private readonly ApiTransport _transport;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;

    internal ApiObjects(ApiResource<T> resource, ClusterConnection connection, ApiTransport transport, TimeProvider clock, ILogger logger) =>
        (_resource, _connection, _transport, _clock, _logger) = (resource, connection, transport, clock, logger);

    /// <summary>Creates an object.</summary>
    /// <param name="manifest">The whole object as the API server wants it.</param>
    /// <param name="type">How it is written.</param>
    /// <param name="cancellationToken">Gives up waiting; the object may exist nevertheless.</param>
    /// <exception cref="ApiException"><see cref="ApiException.IsAlreadyExists"/>, <see cref="ApiException.IsQuotaExceeded"/>, ...</exception>
    public Task<T> CreateAsync<TManifest>(TManifest manifest, JsonTypeInfo<TManifest> type, CancellationToken cancellationToken) => SendAsync(
        new ApiRequest(HttpMethod.Post, _resource.Path) { Body = JsonSerializer.SerializeToUtf8Bytes(manifest, type), ContentType = "application/json" },
        cancellationToken);

    /// <summary>Reads one object.</summary>
    /// <exception cref="ApiException"><see cref="ApiException.IsNotFound"/>: there is none.</exception>
    public Task<T> GetAsync(string name, CancellationToken cancellationToken) =>
        SendAsync(ApiRequest.Get(_resource.PathOf(name)), cancellationToken);

    /// <summary>Reads all objects, a page at a time, all as of one moment.</summary>
    /// <param name="labelSelector">Only those that match, for example <c>app=a,tier!=b</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<IReadOnlyList<T>> ListAsync(string? labelSelector, CancellationToken cancellationToken) =>
        (await new ListRequests<T>(_resource, _transport).ReadAllAsync(labelSelector, cancellationToken)).Items;

    /// <summary>Changes an object.</summary>
    /// <exception cref="ApiException"><see cref="ApiException.IsPatchTestFailed"/>: a test of the patch failed, and nothing has changed.</exception>
    public Task<T> PatchAsync(string name, JsonPatch patch, CancellationToken cancellationToken) => SendAsync(
        new ApiRequest(HttpMethod.Patch, _resource.PathOf(name)) { Body = patch.ToBytes(), ContentType = "application/json-patch+json" },
        cancellationToken);

    /// <summary>Deletes an object, if it is still the one that is meant.</summary>
    /// <exception cref="ApiException"><see cref="ApiException.IsNotFound"/>: there is none; <see cref="ApiException.IsConflict"/>: it is another.</exception>
    public Task DeleteAsync(string name, DeletePreconditions preconditions, CancellationToken cancellationToken)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(DeleteDocument.Of(preconditions), WireJsonContext.Default.DeleteDocument);
        var request = new ApiRequest(HttpMethod.Delete, _resource.PathOf(name)) { Body = body, ContentType = "application/json" };
        // The answer is the object, or a Status where it is gone at once; nobody needs either.
        return _transport.SendAsync(request, _ => true, cancellationToken);
    }

    /// <summary>
    /// First everything that exists (<see cref="ApiListed{T}"/>), then every change in order, for ever, on a connection of
    /// its own. What breaks is mended inside; where changes may have been missed, by a new <see cref="ApiListed{T}"/>.
    /// Whoever reads slowly holds the server's watch back, and nothing else.
    /// </summary>
    /// <param name="labelSelector">Only those that match.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<ApiObservation<T>> WatchAsync(string? labelSelector, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var handler = _connection.CreateHandler(inner =>
        {
            inner.ConnectTimeout = WatchConnectTimeout;
            // A watch that is given up ends at once instead of being read on.
            inner.MaxResponseDrainSize = 0;
        });
        using var transport = new ApiTransport(_connection, handler, RetryPolicy.None, _clock);
        var watch = new ApiWatch<T>(_resource, transport, labelSelector, _clock, _logger);
        await foreach (var observation in watch.RunAsync(cancellationToken)) yield return observation;
    }

    private Task<T> SendAsync(ApiRequest request, CancellationToken cancellationToken) =>
        _transport.SendAsync(request, _resource.ReadOne, cancellationToken);
}
